//! The reference of the settings as a page in Markdown.

use crate::language::Language;
use crate::texts::{self, Text};
use function_fetch_component::variables::variable;
use function_fetch_engine::settings::{Kind, Row, TABLE};

/// The page that is committed as `docs/settings.md`, or its Chinese twin.
///
/// # Errors
///
/// When the texts of this package cannot be read, or lack a setting.
pub fn page(language: Language) -> Result<String, Error> {
    let texts = texts::read()?;
    let text = |row: &Row| {
        texts
            .get(row.name)
            .ok_or_else(|| Error::NoText(row.name.to_owned()))
    };
    let mut page = language.intro().to_owned();
    for row in &TABLE {
        page += &format!(
            "| [`{name}`](#{anchor}) | {default} | {doc} |\n",
            name = row.name,
            anchor = row.name.to_ascii_lowercase(),
            default = language.default(row),
            doc = language.doc(row, text(row)?),
        );
    }
    for row in &TABLE {
        page += &language.section(row, text(row)?);
    }
    Ok(page)
}

/// Why there is no page.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file of texts is not what it should be.
    #[error("the texts of the settings: {0}")]
    Texts(#[from] toml::de::Error),
    /// It lacks a setting.
    #[error("there are no texts for {0}")]
    NoText(String),
}

/// A phrase in both languages.
macro_rules! either {
    ($language:expr, $english:expr, $chinese:expr) => {
        match $language {
            Language::English => $english,
            Language::Chinese => $chinese,
        }
    };
}

const ENGLISH: &str = "\
# Settings

[中文](settings_zh-CN.md)

<!-- Made by `cargo xtask settings` from the engine's own table, crates/engine/src/settings/table.rs; the examples and \
what follows them are in crates/settings/texts.toml. -->

Every setting, as the engine's own table has it. All are optional but `FETCH_TARGETS`, and each is the environment \
variable of its name; on Spin it is a variable of a lower-cased name, else the environment variable.

- A **list** is a JSON array, whose entries may be whole numbers, or is split on commas and white space.
- A **boolean** is `1`, `true`, `yes`, `y` or `on`, or `0`, `false`, `no`, `n` or `off`, in any case.
- An **empty** value counts as not set.
- A value that cannot be used is reported with the reason, and the default applies instead. `function-fetch check` lists \
all such problems before you deploy, and `function-fetch check --schema` prints this table as a JSON Schema.

| Setting | Default | |
| :-- | :-- | :-- |
";

const CHINESE: &str = "\
# 配置项

[English](settings.md)

<!-- 由 `cargo xtask settings` 根据引擎自己的表 crates/engine/src/settings/table.rs 生成；示例及其后的文字在 \
crates/settings/texts.toml 中。 -->

引擎自己的表中的每一个配置项。除 `FETCH_TARGETS` 外全部可选，每一个都是同名的环境变量；在 Spin 上，它是小写名称的变量，没有时取环境变量。

- **列表**是 JSON 数组，其条目可以是整数，否则按逗号和空白拆分。
- **布尔值**是 `1`、`true`、`yes`、`y` 或 `on`，或者 `0`、`false`、`no`、`n` 或 `off`，不分大小写。
- **空**值视为没有设置。
- 不能使用的值会连同原因被报告，并改用默认值。`function-fetch check` 在部署之前列出所有这类问题，`function-fetch check --schema` 把这张表输出为 JSON Schema。

| 配置项 | 默认值 | |
| :-- | :-- | :-- |
";

impl Language {
    fn intro(self) -> &'static str {
        either!(self, ENGLISH, CHINESE)
    }

    fn doc<'a>(self, row: &'a Row, text: &'a Text) -> &'a str {
        either!(self, row.doc, &text.chinese)
    }

    /// The default as a table shows it.
    fn default(self, row: &Row) -> String {
        match (&row.kind, row.kind.default_text()) {
            (Kind::NumberOrOff(_), _) => either!(self, "off", "关闭").to_owned(),
            (_, Some(text)) => format!("`{text}`"),
            (Kind::Targets(_), None) => either!(self, "required", "必填").to_owned(),
            (Kind::Path(_), None) => either!(self, "off", "关闭").to_owned(),
            // Its sentence says what it is by default, if it is anything.
            (Kind::Number(_), None) => either!(self, "see text", "见说明").to_owned(),
            (_, None) => either!(self, "none", "无").to_owned(),
        }
    }

    fn section(self, row: &Row, text: &Text) -> String {
        let Row { name, kind, .. } = row;
        let mut section = format!(
            "\n## {name}\n\n{doc}\n\n| | |\n| :-- | :-- |\n",
            doc = self.doc(row, text)
        );
        let mut line = |name: &str, value: &str| {
            section += &format!("| {name} | {value} |\n");
        };
        line(either!(self, "Default", "默认值"), &self.default(row));
        line(either!(self, "Values", "取值"), &self.values(kind));
        if matches!(kind, Kind::Text(text) if text.secret) {
            line(
                either!(self, "Secret", "秘密"),
                either!(self, "yes: it is never shown", "是：从不显示"),
            );
        }
        // The namespace of another platform.
        if name.starts_with("FETCH_") {
            line(
                either!(self, "On Spin", "在 Spin 上"),
                &format!("`{}`", variable(name)),
            );
        }
        line(
            either!(self, "Example", "示例"),
            &format!("`{name}={}`", text.example),
        );
        let more = either!(self, &text.more.english, &text.more.chinese).trim();
        if !more.is_empty() {
            section += &format!("\n{more}\n");
        }
        section
    }

    /// What the text of a setting may be.
    fn values(self, kind: &Kind) -> String {
        match kind {
            Kind::Targets(_) => either!(
                self,
                "a list of addresses; in a JSON array also objects",
                "地址的列表；在 JSON 数组中也可以是对象"
            )
            .to_owned(),
            Kind::Path(_) => either!(
                self,
                "a path, with a query if need be",
                "路径，需要时带查询串"
            )
            .to_owned(),
            Kind::Text(_) => either!(self, "any text", "任何文本").to_owned(),
            Kind::Flag(_) => either!(self, "a boolean", "布尔值").to_owned(),
            Kind::Number(kind) => self.whole_number(kind.least, kind.most),
            Kind::NumberOrOff(kind) => {
                let number = self.whole_number(kind.least, kind.most);
                either!(
                    self,
                    format!("{number}; or `off`"),
                    format!("{number}；或 `off`")
                )
            }
            Kind::Choice(kind) => self.words(kind.words, either!(self, "one of ", "其中之一：")),
            Kind::Caches(kind) => self.words(kind.words, either!(self, "a list of ", "列表：")),
            Kind::Methods(kind) => self.words(kind.known, either!(self, "a list of ", "列表：")),
            Kind::StatusList(_) => either!(
                self,
                "a list of statuses and ranges from 400 to 599",
                "400 到 599 之间的状态码和范围的列表"
            )
            .to_owned(),
            Kind::Difference(_) => either!(
                self,
                "a share (`20%`), a time (`10ms`), or both",
                "比例（`20%`）、时间（`10ms`），或两者"
            )
            .to_owned(),
            // A kind that is added is described here.
            _ => either!(self, "text", "文本").to_owned(),
        }
    }

    fn whole_number(self, least: u32, most: u32) -> String {
        either!(
            self,
            format!("a whole number from {least} to {most}"),
            format!("{least} 到 {most} 的整数")
        )
    }

    fn words(self, words: &[&str], kind: &str) -> String {
        let words: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
        format!("{kind}{}", words.join(either!(self, ", ", "、")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_pages_have_a_section_of_the_same_shape_for_every_setting() {
        let pages = Language::ALL.map(|language| page(language).unwrap());
        let shapes = pages.each_ref().map(|page| {
            let lines = page.lines();
            lines
                .map(|line| line.chars().take_while(|c| "#| ".contains(*c)).collect())
                .collect::<Vec<String>>()
        });
        assert_eq!(shapes[0], shapes[1]);
        for row in &TABLE {
            for page in &pages {
                assert!(page.contains(&format!("\n## {}\n", row.name)));
            }
        }
    }

    #[test]
    fn bounds_and_words_are_those_of_the_table() {
        let [english, chinese] = Language::ALL.map(|language| page(language).unwrap());
        for row in &TABLE {
            let Kind::Number(kind) = row.kind else {
                continue;
            };
            let [least, most] = [kind.least, kind.most].map(|bound| bound.to_string());
            let section = english.split(&format!("\n## {}\n", row.name)).nth(1);
            let section = section.unwrap().split("\n## ").next().unwrap();
            assert!(
                section.contains(&format!("from {least} to {most}")),
                "{}",
                row.name
            );
            assert!(chinese.contains(&format!("{least} 到 {most} 的整数")));
        }
        assert!(english.contains("one of `probe`, `race`"));
        assert!(chinese.contains("其中之一：`probe`、`race`"));
    }
}

//! A book in one language: which pages of the repository are in it, and their text with the links of the site.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use function_fetch_pages::{Destination, html_images, links, with_links};
use function_fetch_settings::Language;

use crate::playground;
use crate::site::place;
use crate::workspace::Workspace;

/// The folder of the tables of contents, and of what mdBook is told.
const BOOK: &str = "book";
/// The branch that links to files of the repository name.
const BRANCH: &str = "main";

/// The folder of a book within the site.
pub fn folder(language: Language) -> &'static str {
    match language {
        Language::English => "",
        Language::Chinese => "zh-CN",
    }
}

/// The pages of both books, by their places in the repository. A page leads to those of its own book, and where that has
/// none to those of the other one.
pub struct Books {
    english: BTreeSet<String>,
    chinese: BTreeSet<String>,
}

impl Books {
    /// Reads the tables of contents.
    pub fn read(root: &Path) -> Result<Self> {
        let pages = |language| -> Result<BTreeSet<String>> {
            let summary = summary(language);
            let links = links(&text(root, &summary)?);
            Ok(links
                .into_iter()
                .map(|link| place::resolve(&summary, &link.destination))
                .collect())
        };
        Ok(Self {
            english: pages(Language::English)?,
            chinese: pages(Language::Chinese)?,
        })
    }

    fn of(&self, language: Language) -> &BTreeSet<String> {
        match language {
            Language::English => &self.english,
            Language::Chinese => &self.chinese,
        }
    }

    /// What becomes of a link of a page, or of a table of contents, in the book of this language. An image or another
    /// file for the site is added to `assets`.
    fn link(
        &self,
        language: Language,
        page: &str,
        link: &str,
        repository: Option<&str>,
        assets: &mut BTreeSet<String>,
    ) -> Destination {
        if link.starts_with('#') || link.contains("://") || link.starts_with("mailto:") {
            return Destination::To(link.to_owned());
        }
        let (file, anchor) = link.split_at(link.find('#').unwrap_or(link.len()));
        let to = place::resolve(page, file);
        let here = in_book(page);
        if self.of(language).contains(&to) {
            let link = place::relative(&here, &in_book(&to));
            return Destination::To(link + anchor);
        }
        let on_site = |language, page: &str| {
            let page = page.strip_suffix(".md").unwrap_or(page);
            place::resolve("", &format!("{}/{page}.html", folder(language)))
        };
        if to == playground::PAGE {
            let link = place::relative(&on_site(language, &here), &to);
            return Destination::To(link + anchor);
        }
        let other = match language {
            Language::English => Language::Chinese,
            Language::Chinese => Language::English,
        };
        if self.of(other).contains(&to) {
            let link = place::relative(&on_site(language, &here), &on_site(other, &in_book(&to)));
            return Destination::To(link + anchor);
        }
        if to.ends_with(".svg") || to.ends_with(".png") {
            let link = place::relative(&here, &in_book(&to));
            assets.insert(to);
            return Destination::To(link);
        }
        match repository {
            Some(url) => Destination::To(format!("{url}/blob/{BRANCH}/{to}{anchor}")),
            None => Destination::Nowhere,
        }
    }
}

/// Writes what mdBook makes the book of this language of, in place of what was there.
pub fn write(books: &Books, language: Language, workspace: &Workspace, to: &Path) -> Result<()> {
    let root = &workspace.root;
    if to.exists() {
        fs::remove_dir_all(to).with_context(|| format!("cannot empty {}", to.display()))?;
    }
    let mut assets = BTreeSet::new();
    let mut rewritten = |page: &str| -> Result<String> {
        let repository = workspace.repository.as_deref();
        let text = text(root, page)?;
        // Their sources need no change: a book has its files as `docs` has them.
        assets.extend(
            html_images(&text)
                .iter()
                .map(|source| place::resolve(page, source)),
        );
        with_links(&text, |link| {
            Ok(books.link(language, page, link, repository, &mut assets))
        })
    };
    let source = to.join("src");
    for page in books.of(language) {
        put(&source.join(in_book(page)), &rewritten(page)?)?;
    }
    put(&source.join("SUMMARY.md"), &rewritten(&summary(language))?)?;
    for asset in assets {
        let from = root.join(&asset);
        let bytes = fs::read(&from).with_context(|| format!("cannot read {}", from.display()))?;
        put(&source.join(in_book(&asset)), &bytes)?;
    }
    for (from, name) in [
        (format!("{BOOK}/{}.toml", language.tag()), "book.toml"),
        (format!("{BOOK}/site.css"), "site.css"),
    ] {
        put(&to.join(name), &text(root, &from)?)?;
    }
    Ok(())
}

/// The table of contents.
fn summary(language: Language) -> String {
    format!("{BOOK}/{}", language.file("SUMMARY.md"))
}

/// The place of a file of the repository in its book: the same in both, so that a page of one leads to that of the other.
fn in_book(file: &str) -> String {
    let name = file
        .strip_prefix("docs/")
        .or(file.strip_prefix("book/"))
        .unwrap_or(file);
    match name.replace("_zh-CN.md", ".md").as_str() {
        "README.md" => "index.md".to_owned(),
        name => name.to_owned(),
    }
}

fn text(root: &Path, file: &str) -> Result<String> {
    let file = root.join(file);
    fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))
}

fn put(file: &Path, content: impl AsRef<[u8]>) -> Result<()> {
    let write = || {
        fs::create_dir_all(file.parent().unwrap_or(file))?;
        fs::write(file, content)
    };
    write().with_context(|| format!("cannot write {}", file.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn books() -> Books {
        let set = |pages: &[&str]| pages.iter().map(|page| (*page).to_owned()).collect();
        Books {
            english: set(&["README.md", "docs/node.md", "docs/decisions/0001.md"]),
            chinese: set(&["docs/README_zh-CN.md", "docs/node_zh-CN.md"]),
        }
    }

    fn link(language: Language, page: &str, link: &str, repository: Option<&str>) -> Destination {
        books().link(language, page, link, repository, &mut BTreeSet::new())
    }

    #[test]
    fn a_link_to_a_page_stays_in_its_book_or_leads_to_the_other_one() {
        let (english, chinese) = (Language::English, Language::Chinese);
        for (language, page, given, wanted) in [
            (
                english,
                "README.md",
                "docs/node.md#a-handler",
                "node.md#a-handler",
            ),
            (
                english,
                "docs/decisions/0001.md",
                "../node.md",
                "../node.md",
            ),
            (
                english,
                "docs/decisions/0001.md",
                "../../README.md",
                "../index.md",
            ),
            (english, "docs/node.md", "node_zh-CN.md", "zh-CN/node.html"),
            (
                chinese,
                "docs/node_zh-CN.md",
                "README_zh-CN.md#a",
                "index.md#a",
            ),
            (chinese, "docs/node_zh-CN.md", "node.md", "../node.html"),
            (
                chinese,
                "docs/node_zh-CN.md",
                "decisions/0001.md",
                "../decisions/0001.html",
            ),
            (
                english,
                "docs/node.md",
                "https://a.example/b.md",
                "https://a.example/b.md",
            ),
            (english, "docs/node.md", "#here", "#here"),
            (
                english,
                "docs/node.md",
                "../playground/index.html",
                "playground/index.html",
            ),
            (
                chinese,
                "docs/node_zh-CN.md",
                "../playground/index.html",
                "../playground/index.html",
            ),
        ] {
            let wanted = Destination::To(wanted.to_owned());
            assert_eq!(link(language, page, given, None), wanted, "{given}");
        }
    }

    #[test]
    fn a_link_to_another_file_needs_the_address_of_the_repository() {
        let to_source = |repository| {
            link(
                Language::English,
                "docs/node.md",
                "../crates/a.rs#L1",
                repository,
            )
        };
        assert_eq!(to_source(None), Destination::Nowhere);
        let wanted = "https://git.example/x/blob/main/crates/a.rs#L1".to_owned();
        assert_eq!(
            to_source(Some("https://git.example/x")),
            Destination::To(wanted)
        );
    }

    #[test]
    fn an_image_comes_along() {
        let mut assets = BTreeSet::new();
        let to = books().link(
            Language::Chinese,
            "docs/node_zh-CN.md",
            "a/b.svg",
            None,
            &mut assets,
        );
        assert_eq!(to, Destination::To("a/b.svg".to_owned()));
        assert!(assets.contains("docs/a/b.svg"));
    }

    /// Where a link of the page at `page` of this book leads: a file among the sources of one of the two.
    fn source(sources: &Path, language: Language, page: &str, link: &str) -> std::path::PathBuf {
        let on_site =
            |language, page: &str| place::resolve("", &format!("{}/{page}", folder(language)));
        let to = place::resolve(&on_site(language, page), link);
        let chinese = to.strip_prefix("zh-CN/");
        let (language, to) = match chinese {
            Some(to) => (Language::Chinese, to),
            None => (Language::English, to.as_str()),
        };
        let file = to
            .strip_suffix(".html")
            .map_or(to.to_owned(), |to| format!("{to}.md"));
        sources.join(language.tag()).join("src").join(file)
    }

    #[test]
    fn the_books_of_this_repository_have_whatever_their_pages_lead_to() {
        let workspace = Workspace::locate().expect("a workspace");
        let books = Books::read(&workspace.root).expect("two tables of contents");
        let sources =
            std::env::temp_dir().join(format!("function-fetch-site-{}", std::process::id()));
        for language in Language::ALL {
            write(&books, language, &workspace, &sources.join(language.tag())).expect("a book");
        }
        let mut seen = 0;
        for language in Language::ALL {
            let pages = books.of(language).iter().map(|page| in_book(page));
            for page in pages.chain(["SUMMARY.md".to_owned()]) {
                let here = sources.join(language.tag()).join("src").join(&page);
                let text = fs::read_to_string(&here).expect("a page");
                let destinations = links(&text).into_iter().map(|link| link.destination);
                for link in destinations.chain(html_images(&text)) {
                    if link.contains("://") || link.starts_with("mailto:") {
                        continue;
                    }
                    if link.ends_with(playground::PAGE) {
                        // It is built beside the books.
                        continue;
                    }
                    let (file, anchor) = link.split_once('#').unwrap_or((&link, ""));
                    let to = match file {
                        "" => here.clone(),
                        file => source(&sources, language, &page, file),
                    };
                    let known = fs::read_to_string(&to).unwrap_or_else(|_| {
                        assert!(to.is_file(), "{page}: {link} leads to no file");
                        String::new()
                    });
                    let is_heading =
                        |heading: function_fetch_pages::Heading| heading.anchor == anchor;
                    let mut headings = function_fetch_pages::headings(&known).into_iter();
                    assert!(
                        anchor.is_empty() || headings.any(is_heading),
                        "{page}: {link}"
                    );
                    seen += 1;
                }
            }
        }
        fs::remove_dir_all(&sources).expect("ours to remove");
        assert!(seen > 300, "{seen}");
    }
}

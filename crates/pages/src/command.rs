//! The commands that a page tells its reader to type.

use crate::code::{Code, inline_code};

/// A command, without what it is piped to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Command {
    /// The variables before it: `NAME=VALUE`.
    pub environment: Vec<(String, String)>,
    /// The program and its arguments, unquoted.
    pub words: Vec<String>,
}

impl Command {
    /// The program; empty for a line that only sets variables.
    #[must_use]
    pub fn program(&self) -> &str {
        self.words.first().map_or("", String::as_str)
    }

    /// The values of an option that is given as a word of its own before each, such as `--env`.
    pub fn values<'a>(&'a self, option: &'a str) -> impl Iterator<Item = &'a str> {
        self.words
            .windows(2)
            .filter(move |pair| pair[0] == option)
            .map(|pair| pair[1].as_str())
    }
}

/// A quote that does not end.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a quote is not closed: {0}")]
pub struct OpenQuote(String);

/// What ends a command within its line.
const JOINTS: [&str; 5] = ["&&", "||", ";", "|", "&"];

/// What takes the word behind it.
const REDIRECTIONS: [&str; 4] = [">", ">>", "<", "2>"];

/// The commands of a block of `bash`, or of `console`, where they stand behind `$ ` and the rest is output. Nothing for
/// other languages.
///
/// # Errors
///
/// A quote that does not end.
pub fn commands(code: &Code) -> Result<Vec<Command>, OpenQuote> {
    let joined = code.text.replace("\\\n", " ");
    let lines = joined.lines();
    let lines: Vec<&str> = match code.language.as_str() {
        "bash" | "sh" => lines.collect(),
        "console" => lines.filter_map(|line| line.strip_prefix("$ ")).collect(),
        _ => return Ok(Vec::new()),
    };
    let mut commands = Vec::new();
    let mut open = String::new();
    for line in lines {
        open += line;
        // A quote may go on in the next line.
        match of_line(&open) {
            Ok(found) => {
                commands.extend(found);
                open.clear();
            }
            Err(_) => open.push('\n'),
        }
    }
    match open.is_empty() {
        true => Ok(commands),
        false => Err(OpenQuote(open)),
    }
}

/// The commands of one of these programs that stand between backticks in the prose of a page. One that is cut off by `…`
/// is left out.
///
/// # Errors
///
/// A quote that does not end.
pub(crate) fn inline_commands(page: &str, programs: &[&str]) -> Result<Vec<Command>, OpenQuote> {
    let mut commands = Vec::new();
    for text in inline_code(page) {
        if text.contains('…') {
            continue;
        }
        let of_these =
            |command: &Command| programs.contains(&command.program()) && command.words.len() > 1;
        // Most of what stands there is no command, and need not be quoted like one.
        if programs.iter().any(|program| text.contains(program)) {
            commands.extend(of_line(&text)?.into_iter().filter(of_these));
        }
    }
    Ok(commands)
}

fn of_line(line: &str) -> Result<Vec<Command>, OpenQuote> {
    let words = shlex::split(line).ok_or_else(|| OpenQuote(line.to_owned()))?;
    let mut commands = Vec::new();
    for words in words.split(|word| JOINTS.contains(&word.as_str())) {
        let mut command = Command::default();
        let mut words = words.iter();
        while let Some(word) = words.next() {
            if REDIRECTIONS.contains(&word.as_str()) {
                words.next();
            } else if let Some((name, value)) = assignment(word)
                && command.words.is_empty()
            {
                command
                    .environment
                    .push((name.to_owned(), value.to_owned()));
            } else if word == "export" && command.words.is_empty() {
                // What follows are assignments.
            } else {
                command.words.push(word.clone());
            }
        }
        if command != Command::default() {
            commands.push(command);
        }
    }
    Ok(commands)
}

fn assignment(word: &str) -> Option<(&str, &str)> {
    let (name, value) = word.split_once('=')?;
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    (!name.is_empty() && name.bytes().all(is_name)).then_some((name, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(language: &str, text: &str) -> Vec<Command> {
        let (language, text) = (language.to_owned(), text.to_owned());
        commands(&Code { language, text }).unwrap()
    }

    fn command(environment: &[(&str, &str)], words: &[&str]) -> Command {
        let own = |pair: &(&str, &str)| (pair.0.to_owned(), pair.1.to_owned());
        Command {
            environment: environment.iter().map(own).collect(),
            words: words.iter().map(|word| (*word).to_owned()).collect(),
        }
    }

    #[test]
    fn a_line_is_read_as_a_shell_reads_it() {
        assert_eq!(
            read(
                "bash",
                "A=1 B=\"2 3\" prog --x \\\n  y   # why\n\nexport C=4\none && two -f > out.json | three\nD='[\n  5\n]' six\n"
            ),
            [
                command(&[("A", "1"), ("B", "2 3")], &["prog", "--x", "y"]),
                command(&[("C", "4")], &[]),
                command(&[], &["one"]),
                command(&[], &["two", "-f"]),
                command(&[], &["three"]),
                command(&[("D", "[\n  5\n]")], &["six"]),
            ]
        );
    }

    #[test]
    fn of_a_session_what_was_typed_and_not_what_was_printed() {
        let typed = read("console", "$ prog a\nA=1 printed 'it\n$ prog b\n");
        assert_eq!(
            typed,
            [command(&[], &["prog", "a"]), command(&[], &["prog", "b"])]
        );
        assert_eq!(read("toml", "$ prog\n"), []);
    }

    #[test]
    fn an_option_has_its_values() {
        let [command] = &read("bash", "prog --env A=1 x --env B=2")[..] else {
            panic!("one command");
        };
        assert_eq!(command.program(), "prog");
        assert_eq!(command.values("--env").collect::<Vec<_>>(), ["A=1", "B=2"]);
    }

    #[test]
    fn prose_has_commands_too() {
        let found = inline_commands(
            "`prog run --x` and `prog` and `other y`, `prog …`",
            &["prog"],
        );
        assert_eq!(found, Ok(vec![command(&[], &["prog", "run", "--x"])]));
    }
}

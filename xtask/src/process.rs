//! Running other programs: each command is printed before it runs, and a failure names it.

use std::ffi::OsStr;
#[cfg(not(test))]
use std::io::Write;
use std::io::{BufRead, BufReader};
use std::process::{Command, ExitStatus, Stdio};

use anyhow::{Context, Result, bail};

/// The current cargo, without the variables that it set for xtask.
///
/// `cargo run` describes package `xtask` in the environment. If passed on, that makes build scripts that watch
/// `CARGO_PKG_NAME` or `CARGO_MANIFEST_DIR` (ring's does) run again, and everything that depends on them
/// compile again, whenever someone alternates between `cargo xtask` and plain `cargo`.
pub fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(describes_this_package) {
            command.env_remove(name);
        }
    }
    command
}

fn describes_this_package(name: &str) -> bool {
    ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_"]
        .iter()
        .any(|prefix| name.starts_with(prefix))
        || ["CARGO_CRATE_NAME", "CARGO_PRIMARY_PACKAGE"].contains(&name)
}

/// Runs to the end, with this process's stdin, stdout and stderr.
pub fn run(command: &mut Command) -> Result<()> {
    echo(command);
    let status = command.status().with_context(|| cannot_run(command))?;
    check(command, status)
}

/// Runs to the end and passes stdout through, with each line also given to `watch`.
///
/// The outer error means that the command could not be run, the inner one that it failed.
pub fn tee(command: &mut Command, mut watch: impl FnMut(&str)) -> Result<Result<()>> {
    echo(command);
    let mut child = command
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| cannot_run(command))?;
    if let Some(stdout) = child.stdout.take() {
        let mut stdout = BufReader::new(stdout);
        let mut line = Vec::new();
        // Bytes rather than `lines()`: what a test prints need not be UTF-8.
        while stdout.read_until(b'\n', &mut line)? > 0 {
            say_bytes(&line);
            watch(String::from_utf8_lossy(&line).trim_end());
            line.clear();
        }
    }
    let status = child.wait()?;
    Ok(check(command, status))
}

/// Runs silently and returns stdout; a failure has the last line of stderr.
pub fn output(command: &mut Command) -> Result<Vec<u8>> {
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| cannot_run(command))?;
    if !output.status.success() {
        let stderr = String::from_utf8_lossy(&output.stderr);
        let last = stderr
            .lines()
            .rfind(|line| !line.trim().is_empty())
            .unwrap_or_default();
        bail!(
            "`{}` failed ({}): {}",
            shown(command),
            output.status,
            last.trim()
        );
    }
    Ok(output.stdout)
}

/// A line on stdout. If the reader has gone (`| head`), it is dropped: `println!` would panic.
pub fn say(line: &str) {
    say_bytes(format!("{line}\n").as_bytes());
}

#[cfg(not(test))]
fn say_bytes(bytes: &[u8]) {
    let mut stdout = std::io::stdout().lock();
    let _ = stdout.write_all(bytes).and_then(|()| stdout.flush());
}

/// In unit tests with `print!`, which the test runner captures.
#[cfg(test)]
fn say_bytes(bytes: &[u8]) {
    print!("{}", String::from_utf8_lossy(bytes));
}

/// Prints a command to stderr, as a user would type it, with what xtask adds to its environment.
pub fn echo(command: &Command) {
    let mut line = String::from("$ ");
    for (name, value) in command.get_envs() {
        // PATH would fill the screen, and all of it but one folder is the user's own.
        if let (Some(value), true) = (value, name != "PATH") {
            line += &format!("{}={} ", name.to_string_lossy(), quoted(value));
        }
    }
    eprintln!("{line}{}", shown(command));
}

fn check(command: &Command, status: ExitStatus) -> Result<()> {
    if !status.success() {
        bail!("`{}` failed ({status})", shown(command));
    }
    Ok(())
}

fn cannot_run(command: &Command) -> String {
    format!("cannot run `{}`", command.get_program().to_string_lossy())
}

fn shown(command: &Command) -> String {
    // Cargo's full path is noise; for a tool that may come from several places, the path shows from which.
    let program = command.get_program();
    let program = if std::env::var_os("CARGO").is_some_and(|cargo| cargo == program) {
        "cargo".into()
    } else {
        quoted(program)
    };
    let words: Vec<String> = [program]
        .into_iter()
        .chain(command.get_args().map(argument))
        .collect();
    words.join(" ")
}

/// An argument as it may be printed: the one secret among the settings stays out of terminals and CI logs.
fn argument(argument: &OsStr) -> String {
    const SECRET: &str = "fetch_status_token=";
    let word = argument.to_string_lossy();
    match word.get(..SECRET.len()) {
        Some(name) if name.eq_ignore_ascii_case(SECRET) => format!("{name}***"),
        _ => quoted(argument),
    }
}

fn quoted(word: &OsStr) -> String {
    let word = word.to_string_lossy();
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_=+./:,@%".contains(&byte);
    if !word.is_empty() && word.bytes().all(plain) {
        word.into_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_a_command_as_typed() {
        let mut command = Command::new("serve");
        command.args(["--listen", "[::1]:0", "it's"]);
        assert_eq!(shown(&command), r"serve --listen '[::1]:0' 'it'\''s'");
    }

    #[test]
    fn the_status_token_is_not_shown() {
        let mut command = Command::new("spin");
        command.args([
            "--variable",
            "fetch_status_token=sesame",
            "--variable",
            "fetch_explain=true",
        ]);
        assert_eq!(
            shown(&command),
            "spin --variable fetch_status_token=*** --variable fetch_explain=true"
        );
    }

    #[test]
    fn cargo_does_not_inherit_xtasks_environment() {
        for name in [
            "CARGO_PKG_NAME",
            "CARGO_MANIFEST_DIR",
            "CARGO_CRATE_NAME",
            "CARGO_BIN_NAME",
        ] {
            assert!(describes_this_package(name), "{name}");
        }
        for name in [
            "CARGO",
            "CARGO_HOME",
            "CARGO_TARGET_DIR",
            "CARGO_TERM_COLOR",
            "CARGO_BUILD_JOBS",
        ] {
            assert!(!describes_this_package(name), "{name}");
        }
    }

    #[test]
    #[cfg(unix)]
    fn tee_passes_each_line_and_reports_failure() {
        let mut lines = Vec::new();
        let outcome = tee(
            Command::new("sh").args(["-c", "echo one; echo two; exit 3"]),
            |line| {
                lines.push(line.to_owned());
            },
        );
        assert_eq!(lines, ["one", "two"]);
        let failure = outcome.expect("sh runs").expect_err("exit 3 is a failure");
        assert!(failure.to_string().contains("exit status: 3"), "{failure}");
    }

    #[test]
    fn a_missing_program_is_named() {
        let error = run(&mut Command::new("no-such-program")).expect_err("nothing to run");
        assert!(error.to_string().contains("no-such-program"), "{error}");
    }
}

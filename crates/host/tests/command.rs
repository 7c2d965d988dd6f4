//! The command as users see it: its errors when it cannot start, and that it starts and stops.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

fn command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_function-fetch"));
    // A back trace would be more than a line.
    command.env("RUST_BACKTRACE", "1").env_remove("RUST_LOG");
    command
}

fn file(name: &str, content: &[u8]) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&path, content).unwrap();
    path
}

/// The smallest component: it imports and exports nothing.
const EMPTY_COMPONENT: &[u8] = b"\0asm\x0d\0\x01\0";
const EMPTY_MODULE: &[u8] = b"\0asm\x01\0\0\0";

/// `(component (import "missing" (func)))`.
const COMPONENT_WITH_AN_IMPORT: &[u8] =
    b"\0asm\x0d\0\x01\0\x07\x05\x01\x40\0\x01\0\x0a\x0c\x01\0\x07missing\x01\0";

fn fails_in_one_line(output: &Output, expected: &[&str]) {
    let stderr = String::from_utf8(output.stderr.clone()).unwrap();
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
    assert!(output.stdout.is_empty());
    for part in expected {
        assert!(stderr.contains(part), "{part:?} in {stderr}");
    }
}

#[test]
fn component_that_cannot_be_served() {
    let missing = PathBuf::from("no/such/component.wasm");
    let cases = [
        (missing, "No such file"),
        (PathBuf::from("/"), "Is a directory"),
        (file("text.wasm", b"(component)"), "is not WebAssembly"),
        (file("empty.wasm", b""), "is not WebAssembly"),
        (file("module.wasm", EMPTY_MODULE), "core WebAssembly module"),
        (
            file("cut.wasm", &[EMPTY_COMPONENT, b"\x01\xff"].concat()),
            "not a valid component",
        ),
        (file("nothing.wasm", EMPTY_COMPONENT), "does not serve HTTP"),
        (file("import.wasm", COMPONENT_WITH_AN_IMPORT), "`missing`"),
    ];
    for (path, expected) in cases {
        let output = command()
            .args(["serve", "--listen", "127.0.0.1:0"])
            .arg(&path)
            .output()
            .unwrap();
        fails_in_one_line(
            &output,
            &["COMPONENT", &path.display().to_string(), expected],
        );
    }
}

#[test]
fn address_that_cannot_be_listened_on() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    for (address, expected) in [
        (address.as_str(), "in use"),
        ("192.0.2.1:80", "assign"),
        ("nonsense", ""),
    ] {
        let output = command()
            .args(["serve", "--listen", address])
            .arg(file("listen.wasm", EMPTY_COMPONENT))
            .output()
            .unwrap();
        fails_in_one_line(&output, &["--listen", address, expected]);
    }
}

#[test]
fn unusable_files_of_options() {
    let component = file("options.wasm", EMPTY_COMPONENT);
    let cases = [
        (
            "--runtime-config-file",
            PathBuf::from("no/such.toml"),
            "No such file",
        ),
        (
            "--runtime-config-file",
            file("broken.toml", b"[key_value_store\n"),
            "line 1",
        ),
        (
            "--runtime-config-file",
            file("misspelt.toml", b"[outbound_htpp]\n"),
            "outbound_htpp",
        ),
        ("--ca-file", PathBuf::from("no/such.pem"), ""),
        ("--ca-file", file("empty.pem", b""), "no PEM certificate"),
    ];
    for (option, path, expected) in cases {
        let output = command()
            .args(["serve", "--listen", "127.0.0.1:0", option])
            .arg(&path)
            .arg(&component)
            .output()
            .unwrap();
        fails_in_one_line(&output, &[option, &path.display().to_string(), expected]);
    }
}

#[test]
fn invalid_options_are_named() {
    let cases = [
        ["--env", "NAME"],
        ["--max-instances", "0"],
        ["--idle-instance-timeout", "1"],
        ["--log-format", "xml"],
    ];
    for [option, value] in cases {
        let output = command()
            .args(["serve", "x.wasm", option, value])
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(2));
        assert!(String::from_utf8(output.stderr).unwrap().contains(option));
    }
}

/// Answers every request on every connection with `status`, after `delay`.
fn origin(status: u16, delay: Duration) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            std::thread::spawn(move || {
                let mut request = [0; 4096];
                while stream.read(&mut request).is_ok_and(|count| count > 0) {
                    std::thread::sleep(delay);
                    write!(stream, "HTTP/1.1 {status} X\r\ncontent-length: 0\r\n\r\n").unwrap();
                }
            });
        }
    });
    url
}

#[test]
fn probe_ranks_targets_and_exits_by_health() {
    let slow = origin(200, Duration::from_millis(80));
    let fast = origin(404, Duration::ZERO);
    let failing = origin(503, Duration::ZERO);
    let output = command()
        .args(["probe", "--json", &failing, &slow, &fast])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert!(
        output.stderr.is_empty(),
        "no bar where there is no terminal"
    );
    let rows: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let targets: Vec<_> = rows
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["target"].as_str().unwrap())
        .collect();
    assert_eq!(targets, [&fast, &slow, &failing]);
    assert_eq!(rows[2]["healthy"], false);
    assert_eq!(rows[2]["status"], 503);
    assert!(rows[1]["latency_ms"].as_f64().unwrap() >= 80.0);

    let output = command()
        .args(["probe", "--env", &format!("FETCH_TARGETS={failing}")])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    fails_in_one_line(
        &command()
            .arg("probe")
            .env_remove("FETCH_TARGETS")
            .output()
            .unwrap(),
        &["no targets"],
    );
}

#[test]
fn check_lists_every_problem_and_exits_by_them() {
    let check = |settings: &[&str]| {
        let mut command = command();
        command.arg("check");
        for setting in settings {
            command.args(["--env", setting]);
        }
        let output = command.output().unwrap();
        (
            output.status.code(),
            String::from_utf8(output.stdout).unwrap(),
        )
    };
    let (code, text) = check(&["FETCH_TARGETS=http://a.example"]);
    assert_eq!(code, Some(0));
    assert!(
        text.contains("http://a.example") && text.contains("No problems"),
        "{text}"
    );

    let (code, text) = check(&[
        "FETCH_TARGETS=http://a.example ftp://b",
        "FETCH_MAX_ATTEMPTS=many",
        "FETCH_TARGET=x",
    ]);
    assert_eq!(code, Some(1));
    for part in [
        "ftp://b",
        "FETCH_MAX_ATTEMPTS:",
        "FETCH_TARGET: no such setting",
        "http://a.example",
        "3 problems",
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
}

#[test]
fn a_schema_describes_every_setting() {
    let output = command().args(["check", "--schema"]).output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    let schema: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let properties = schema["properties"].as_object().unwrap();
    for name in function_fetch_engine::settings::NAMES {
        let property = &properties[name];
        assert!(property["description"].is_string(), "{name}");
        let says_which = property.get("type").or(property.get("anyOf"));
        assert!(says_which.is_some(), "{name}: {property}");
    }
    assert_eq!(
        properties.len(),
        function_fetch_engine::settings::NAMES.len()
    );
    assert_eq!(properties["FETCH_MAX_ATTEMPTS"]["maximum"], 32);
    assert_eq!(properties["FETCH_STATUS_TOKEN"]["writeOnly"], true);
    assert_eq!(schema["required"], serde_json::json!(["FETCH_TARGETS"]));
}

#[test]
fn watching_prints_lines_into_a_pipe_until_nobody_reads() {
    let target = origin(200, Duration::ZERO);
    let dead = {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        format!("http://{}", listener.local_addr().unwrap())
    };
    let mut child = command()
        .args(["probe", "--watch", "--interval", "50ms", "--samples", "1"])
        .args([&dead, &target])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut next = || lines.next().unwrap().unwrap();
    for _ in 0..3 {
        let (up, down) = (next(), next());
        assert!(up.contains(&format!(" 1 {target} ok ")), "{up}");
        assert!(down.contains(&format!(" - {dead} failed ")), "{down}");
        assert!(!up.contains('\x1b'), "{up:?}");
    }
    drop(lines);
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0), "one is healthy");
    assert!(output.stderr.is_empty(), "{output:?}");
}

#[test]
fn completions_and_help_name_every_subcommand() {
    let said = |words: &[&str]| {
        let output = command().args(words).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{words:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = said(&["completions", shell]);
        for part in ["serve", "probe", "check", "metrics-listen"] {
            assert!(script.contains(part), "{part} for {shell}");
        }
    }
    for words in [
        &["--help"][..],
        &["help", "serve"],
        &["help", "probe"],
        &["help", "check"],
    ] {
        assert!(said(words).contains("Examples:\n  "), "{words:?}");
    }
}

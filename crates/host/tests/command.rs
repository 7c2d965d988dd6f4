//! The command as a user meets it: what it says when it cannot start, and that it starts and ends.

use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Command, Output};

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
        (file("cut.wasm", &[EMPTY_COMPONENT, b"\x01\xff"].concat()), "not a valid component"),
        (file("nothing.wasm", EMPTY_COMPONENT), "answers no HTTP"),
        (file("import.wasm", COMPONENT_WITH_AN_IMPORT), "`missing`"),
    ];
    for (path, expected) in cases {
        let output = command().args(["serve", "--listen", "127.0.0.1:0"]).arg(&path).output().unwrap();
        fails_in_one_line(&output, &["COMPONENT", &path.display().to_string(), expected]);
    }
}

#[test]
fn address_that_cannot_be_listened_on() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    for (address, expected) in [(address.as_str(), "in use"), ("192.0.2.1:80", "assign"), ("nonsense", "")] {
        let output = command()
            .args(["serve", "--listen", address])
            .arg(file("listen.wasm", EMPTY_COMPONENT))
            .output()
            .unwrap();
        fails_in_one_line(&output, &["--listen", address, expected]);
    }
}

#[test]
fn files_of_options_that_cannot_be_used() {
    let component = file("options.wasm", EMPTY_COMPONENT);
    let cases = [
        ("--runtime-config-file", PathBuf::from("no/such.toml"), "No such file"),
        ("--runtime-config-file", file("broken.toml", b"[key_value_store\n"), "line 1"),
        ("--runtime-config-file", file("misspelt.toml", b"[outbound_htpp]\n"), "outbound_htpp"),
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
fn options_that_make_no_sense_are_named() {
    let cases = [
        ["--env", "NAME"],
        ["--max-instances", "0"],
        ["--idle-instance-timeout", "1"],
        ["--log-format", "xml"],
    ];
    for [option, value] in cases {
        let output = command().args(["serve", "x.wasm", option, value]).output().unwrap();
        assert_eq!(output.status.code(), Some(2));
        assert!(String::from_utf8(output.stderr).unwrap().contains(option));
    }
}

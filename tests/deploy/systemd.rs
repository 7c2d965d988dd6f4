//! The systemd units: checked by systemd itself where it is installed, and
//! their options by the programs that they start.

use crate::{COMPONENTS, assert_settings_exist, hosts, root, text};
use std::collections::HashMap;
use std::path::PathBuf;
use std::process::Command;

const UNITS: [(&str, &str); 2] = [
    (
        "deploy/systemd/function-fetch.service",
        "FUNCTION_FETCH_BIN",
    ),
    ("deploy/systemd/function-fetch-wasmtime.service", "WASMTIME"),
];

/// The values of a unit, by `Section.Key`; a line that ends in `\` continues.
fn unit(path: &str) -> HashMap<String, String> {
    let text = text(path).replace("\\\n", " ");
    let mut section = String::new();
    let mut values = HashMap::new();
    for line in text.lines().map(str::trim) {
        if let Some(name) = line.strip_prefix('[').and_then(|l| l.strip_suffix(']')) {
            section = name.to_owned();
        } else if let Some((key, value)) = line.split_once('=')
            && !line.starts_with('#')
        {
            // A list, of which each line takes away from those before it.
            if key == "SystemCallFilter" {
                continue;
            }
            let before = values.insert(format!("{section}.{key}"), value.to_owned());
            assert_eq!(before, None, "{path}: {key} twice");
        }
    }
    values
}

fn words(path: &str) -> Vec<String> {
    unit(path)["Service.ExecStart"]
        .split_whitespace()
        .map(str::to_owned)
        .collect()
}

#[test]
fn systemd_accepts_the_units() {
    if Command::new("systemd-analyze")
        .arg("--version")
        .output()
        .is_err()
    {
        println!("skipped: systemd is not installed");
        return;
    }
    // The programs are not where the units look for them: placeholders are.
    let folder = std::env::temp_dir().join(format!("function-fetch-units-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a temporary folder");
    for (path, _) in UNITS {
        let program = words(path)[0].clone();
        let copy = folder.join(PathBuf::from(path).file_name().expect("a file"));
        std::fs::write(&copy, text(path).replace(&program, "/bin/true")).expect("writable");
        let output = Command::new("systemd-analyze")
            .arg("verify")
            .arg("--man=no")
            .arg(&copy)
            .output()
            .expect("it runs");
        let said = String::from_utf8_lossy(&output.stderr);
        let about_us: Vec<&str> = said
            .lines()
            .filter(|l| l.contains("function-fetch"))
            .collect();
        assert!(
            output.status.success() && about_us.is_empty(),
            "{path}: {said}"
        );
    }
    std::fs::remove_dir_all(&folder).expect("ours to remove");
}

/// In tenths: systemd calls 13 "OK" and 96 "UNSAFE". What is left is the network, which a proxy needs, and code that is
/// compiled at run time.
const MOST_EXPOSURE: &str = "15";

#[test]
fn the_units_expose_little() {
    for (path, _) in UNITS {
        // Before version 250 it cannot rate a file.
        let rating = Command::new("systemd-analyze")
            .args(["security", "--offline=true", "--no-pager", "--threshold"])
            .arg(MOST_EXPOSURE)
            .arg(root().join(path))
            .output();
        let Ok(output) = rating else {
            println!("skipped: systemd is not installed");
            return;
        };
        let said = String::from_utf8_lossy(&output.stdout);
        if !said.contains("exposure level") {
            println!("skipped: this systemd rates no files");
            return;
        }
        assert!(output.status.success(), "{path}: {said}");
    }
}

#[test]
fn a_password_is_readable_by_root_alone() {
    let unit = unit("deploy/systemd/function-fetch.service");
    let (name, file) = unit["Service.LoadCredential"]
        .split_once(':')
        .expect("NAME:FILE");
    assert_eq!(file, "/etc/function-fetch/runtime-config.toml");
    let words = words("deploy/systemd/function-fetch.service");
    assert!(words.contains(&format!("%d/{name}")), "{words:?}");
    for page in ["docs/wasmtime.md", "docs/wasmtime_zh-CN.md"] {
        let text = text(page);
        let mut installing = text
            .lines()
            .filter(|line| line.contains("/etc/function-fetch/"));
        let installing = installing.find(|line| line.starts_with("sudo install"));
        assert!(
            installing.is_some_and(|line| line.contains(" -m 600 ")),
            "{page}: {installing:?}"
        );
    }
}

#[test]
fn every_option_exists_in_the_program() {
    for (path, variable) in UNITS {
        // `cargo xtask test` sets the paths of the programs.
        let Some(program) = std::env::var_os(variable) else {
            println!("skipped: {path}: {variable} is not set");
            continue;
        };
        let help = Command::new(program)
            .args(["serve", "--help"])
            .output()
            .expect("it runs");
        let help = String::from_utf8_lossy(&help.stdout).into_owned();
        let words = words(path);
        assert_eq!(words[1], "serve");
        let mut seen = 0;
        for option in words.iter().filter(|word| word.starts_with("--")) {
            assert!(help.contains(&format!("{option} <")), "{path}: {option}");
            seen += 1;
        }
        assert!(seen > 3, "{path}");
    }
}

#[test]
fn each_serves_a_component_that_is_built_with_settings_that_exist() {
    for (path, _) in UNITS {
        let unit = unit(path);
        let words = words(path);
        let component = words.last().expect("words");
        let (folder, name) = component.rsplit_once('/').expect("a path");
        assert_eq!(folder, "/usr/local/lib/function-fetch");
        assert!(COMPONENTS.contains(&name), "{path}: {name}");
        assert_eq!(
            unit["Service.EnvironmentFile"],
            "/etc/function-fetch/settings.env"
        );
        let given = words
            .windows(2)
            .filter(|pair| pair[0] == "--env")
            .map(|pair| pair[1].as_str());
        assert_settings_exist(given);
    }
}

#[test]
fn the_environment_file_is_one_that_systemd_can_read() {
    let text = text("deploy/systemd/settings.env");
    let settings: HashMap<&str, &str> = text
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| line.split_once('=').expect("NAME=VALUE"))
        .collect();
    assert_settings_exist(settings.keys().copied());
    assert_eq!(hosts(settings["FETCH_TARGETS"].trim_matches('"')).len(), 2);
}

#[test]
fn the_drain_ends_before_systemds_time_out() {
    let path = "deploy/systemd/function-fetch.service";
    let words = words(path);
    let drain = words
        .iter()
        .position(|word| word == "--drain-timeout")
        .expect("it");
    let seconds = |text: &str| text.trim_end_matches('s').parse::<u32>().expect("seconds");
    assert!(seconds(&words[drain + 1]) < seconds(&unit(path)["Service.TimeoutStopSec"]));
    assert!(root().join("deploy/systemd/runtime-config.toml").exists());
}

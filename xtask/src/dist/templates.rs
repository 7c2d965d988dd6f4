//! Spin's templates as a release has them, for `spin templates install --tar`: an application that they make gets the
//! component of that release from its address, and Spin checks it by its digest. In the repository they ask for a file.

use std::fs::{self, File};
use std::path::Path;

use anyhow::{Context, Result, bail};
use toml_edit::{DocumentMut, value};

use super::archive::Archive;
use super::checksums::sha256;
use super::made;
use crate::components::Flavour;
use crate::workspace::Workspace;

/// Where Spin looks for them, in the repository and in an archive.
const FOLDER: &str = "templates";

const METADATA: &str = "spin-template.toml";

/// Writes the archive beside the component.
pub fn write(workspace: &Workspace, folder: &Path, url: &str) -> Result<()> {
    let name = Flavour::Spin.file_name();
    let component = fs::read(folder.join(&name))
        .with_context(|| format!("{name} is not there: run `cargo xtask dist components` first"))?;
    let url = format!("{}/{name}", url.trim_end_matches('/'));
    let digest = format!("sha256:{}", sha256(&component));
    let file = folder.join("spin-templates.tar.gz");
    let mut archive = Archive::new(
        File::create(&file).with_context(|| format!("cannot write {}", file.display()))?,
    );
    for path in files(&workspace.root, FOLDER)? {
        let text = fs::read_to_string(workspace.root.join(&path))
            .with_context(|| format!("cannot read {path}"))?;
        let text = if path.ends_with(METADATA) {
            with_component(&text, &url, &digest).with_context(|| path.clone())?
        } else {
            text
        };
        archive.add(&path, text.as_bytes(), false)?;
    }
    archive.finish()?;
    made(&file);
    Ok(())
}

/// The paths of the files below a folder, from the root on, in order.
fn files(root: &Path, folder: &str) -> Result<Vec<String>> {
    let mut found = Vec::new();
    let entries =
        fs::read_dir(root.join(folder)).with_context(|| format!("cannot read {folder}"))?;
    for entry in entries {
        let entry = entry?;
        let path = format!("{folder}/{}", entry.file_name().to_string_lossy());
        if entry.file_type()?.is_dir() {
            found.extend(files(root, &path)?);
        } else {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

/// The metadata of a template with other defaults for where the component is.
fn with_component(metadata: &str, url: &str, digest: &str) -> Result<String> {
    let mut metadata: DocumentMut = metadata.parse()?;
    for (parameter, default) in [("component", url), ("component-digest", digest)] {
        let parameter = metadata
            .get_mut("parameters")
            .and_then(|parameters| parameters.get_mut(parameter))
            .with_context(|| format!("there is no parameter {parameter}"))?;
        if parameter.get("default").is_none() {
            bail!("it has no default");
        }
        parameter["default"] = value(default);
    }
    Ok(metadata.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_template_gets_the_component_of_the_release() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"))
            .parent()
            .expect("the repository");
        let files = files(root, FOLDER).unwrap();
        let metadata: Vec<_> = files
            .iter()
            .filter(|path| path.ends_with(METADATA))
            .collect();
        assert_eq!(metadata.len(), 2);
        for path in metadata {
            let before = fs::read_to_string(root.join(path)).unwrap();
            let after = with_component(&before, "https://example.com/a.wasm", "sha256:01").unwrap();
            let parsed: DocumentMut = after.parse().unwrap();
            let default = |parameter: &str| parsed["parameters"][parameter]["default"].as_str();
            assert_eq!(default("component"), Some("https://example.com/a.wasm"));
            assert_eq!(default("component-digest"), Some("sha256:01"));
            // Nothing else: their order is the order of the questions.
            let changed = before
                .lines()
                .zip(after.lines())
                .filter(|(before, after)| before != after);
            assert_eq!(changed.count(), 2, "{after}");
            assert_eq!(before.lines().count(), after.lines().count());
        }
        assert!(with_component("a = 1", "u", "d").is_err());
    }
}

//! Archives that are the same whenever and by whomever they are made: `.tar.gz`, without times and owners.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use flate2::Compression;
use flate2::write::GzEncoder;
use tar::{Builder, Header};

use super::VERSION;

/// What goes with the command.
const BESIDE: [&str; 4] = ["LICENSE-APACHE", "LICENSE-MIT", "README.md", "CHANGELOG.md"];

/// An archive that is being written.
pub struct Archive<W: Write>(Builder<GzEncoder<W>>);

impl<W: Write> Archive<W> {
    pub fn new(to: W) -> Self {
        Self(Builder::new(GzEncoder::new(to, Compression::best())))
    }

    /// Adds a file.
    pub fn add(&mut self, path: &str, contents: &[u8], is_program: bool) -> Result<()> {
        let mut header = Header::new_gnu();
        header.set_size(contents.len() as u64);
        header.set_mode(if is_program { 0o755 } else { 0o644 });
        header.set_mtime(0);
        self.0
            .append_data(&mut header, path, contents)
            .with_context(|| format!("cannot add {path}"))
    }

    pub fn finish(self) -> Result<W> {
        Ok(self.0.into_inner()?.finish()?)
    }
}

/// The command for a target, in a folder of its own, as the archive's only one.
pub fn of_command(root: &Path, to: &Path, program: &Path, target: &str) -> Result<PathBuf> {
    let name = format!("function-fetch-{VERSION}-{target}");
    let file = to.join(format!("{name}.tar.gz"));
    let mut archive = Archive::new(
        File::create(&file).with_context(|| format!("cannot write {}", file.display()))?,
    );
    let read =
        |path: &Path| fs::read(path).with_context(|| format!("cannot read {}", path.display()));
    let program_name = program
        .file_name()
        .context("the program has no name")?
        .to_string_lossy();
    archive.add(&format!("{name}/{program_name}"), &read(program)?, true)?;
    for beside in BESIDE {
        archive.add(
            &format!("{name}/{beside}"),
            &read(&root.join(beside))?,
            false,
        )?;
    }
    archive.finish()?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use flate2::read::GzDecoder;

    use super::*;

    /// Path, mode and contents of each file.
    fn entries(bytes: &[u8]) -> Vec<(String, u32, String)> {
        let mut read = tar::Archive::new(GzDecoder::new(bytes));
        let entries = read.entries().unwrap().map(|entry| {
            let mut entry = entry.unwrap();
            let mut contents = String::new();
            entry.read_to_string(&mut contents).unwrap();
            let path = entry.path().unwrap().display().to_string();
            (path, entry.header().mode().unwrap(), contents)
        });
        entries.collect()
    }

    fn archive() -> Vec<u8> {
        let mut archive = Archive::new(Vec::new());
        archive.add("a/program", b"run", true).unwrap();
        archive.add("a/text", b"read", false).unwrap();
        archive.finish().unwrap()
    }

    #[test]
    fn it_has_what_was_added_and_is_always_the_same() {
        let bytes = archive();
        assert_eq!(bytes, archive());
        assert_eq!(
            entries(&bytes),
            [
                ("a/program".to_owned(), 0o755, "run".to_owned()),
                ("a/text".to_owned(), 0o644, "read".to_owned()),
            ]
        );
    }

    #[test]
    fn the_command_is_in_a_folder_of_its_own_with_its_licences() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"))
            .parent()
            .expect("the repository");
        let folder =
            std::env::temp_dir().join(format!("function-fetch-dist-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let program = folder.join("function-fetch");
        fs::write(&program, "the program").unwrap();
        let file = of_command(root, &folder, &program, "some-target").unwrap();
        let name = format!("function-fetch-{VERSION}-some-target");
        assert_eq!(file, folder.join(format!("{name}.tar.gz")));
        let entries = entries(&fs::read(&file).unwrap());
        assert_eq!(
            entries[0],
            (
                format!("{name}/function-fetch"),
                0o755,
                "the program".to_owned()
            )
        );
        for licence in ["LICENSE-APACHE", "LICENSE-MIT"] {
            let path = format!("{name}/{licence}");
            assert!(entries.iter().any(|(entry, ..)| *entry == path), "{path}");
        }
        fs::remove_dir_all(&folder).unwrap();
    }
}

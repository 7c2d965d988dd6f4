//! `SHA256SUMS`, in the format of `sha256sum -c`.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};

const FILE: &str = "SHA256SUMS";

/// Of every file in the folder but this one itself.
pub fn write(folder: &Path) -> Result<()> {
    let mut names = Vec::new();
    for entry in
        fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?
    {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if entry.file_type()?.is_file() && name != FILE {
            names.push(name);
        }
    }
    if names.is_empty() {
        bail!("{} is empty", folder.display());
    }
    names.sort();
    let mut sums = String::new();
    for name in names {
        let path = folder.join(&name);
        let contents =
            fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
        // Writing to a string does not fail.
        let _ = writeln!(sums, "{}  {name}", sha256(&contents));
    }
    fs::write(folder.join(FILE), &sums).with_context(|| format!("cannot write {FILE}"))?;
    crate::process::say(sums.trim_end());
    Ok(())
}

/// In hexadecimal.
pub fn sha256(contents: &[u8]) -> String {
    format!("{:x}", Sha256::digest(contents))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_those_of_every_other_file() {
        let folder =
            std::env::temp_dir().join(format!("function-fetch-sums-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        assert!(write(&folder).is_err(), "nothing is there");
        fs::write(folder.join("b"), "").unwrap();
        fs::write(folder.join("a"), "abc").unwrap();
        // The second time it is there itself.
        for _ in 0..2 {
            write(&folder).unwrap();
            assert_eq!(
                fs::read_to_string(folder.join(FILE)).unwrap(),
                "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad  a\n\
                 e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  b\n"
            );
        }
        fs::remove_dir_all(&folder).unwrap();
    }
}

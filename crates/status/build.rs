//! The hashes of the page's style and script, for its `Content-Security-Policy`.

use base64::prelude::{BASE64_STANDARD, Engine};
use sha2::{Digest, Sha256};
use std::error::Error;
use std::fs;
use std::path::Path;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = Path::new("../../status");
    for (name, variable) in [("style.css", "STYLE_HASH"), ("script.js", "SCRIPT_HASH")] {
        let file = folder.join(name);
        println!("cargo::rerun-if-changed={}", file.display());
        let hash = BASE64_STANDARD.encode(Sha256::digest(fs::read(&file)?));
        println!("cargo::rustc-env={variable}=sha256-{hash}");
    }
    Ok(())
}

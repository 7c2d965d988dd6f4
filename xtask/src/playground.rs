//! `cargo xtask playground`: the page of `playground/`, with the simulator of `crates/playground` in WebAssembly.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};

use crate::edge;
use crate::npm::Adapters;
use crate::process;
use crate::workspace::Workspace;

/// The package of the WebAssembly module.
pub const PACKAGE: &str = "function-fetch-playground";

/// Simulating is work for the processor: its own profile, for speed.
const PROFILE: &str = "playground";

#[derive(clap::Args)]
pub struct Args {
    /// Draw its pictures in docs/images as well, with Chromium
    #[arg(long)]
    screenshots: bool,
}

/// The page's place in the repository, and beside the books of the documentation's site.
pub const PAGE: &str = "playground/index.html";

/// Builds the page, and says where it is.
pub fn run(args: &Args) -> Result<ExitCode> {
    let workspace = Workspace::locate()?;
    let folder = folder(&workspace);
    let adapters = build(&workspace, &folder)?;
    if args.screenshots {
        let mut draw = adapters.script("screenshots:playground")?;
        draw.arg("--")
            .arg(&folder)
            .arg(workspace.root.join("docs").join("images"));
        process::run(&mut draw).context("cannot draw the screenshots")?;
    }
    let folder = folder.display();
    process::say(&format!(
        "Any static server can serve it: python3 -m http.server --directory {folder}"
    ));
    Ok(ExitCode::SUCCESS)
}

/// Where it is built to be looked at, and tested.
pub fn folder(workspace: &Workspace) -> PathBuf {
    workspace.target.join("playground-page")
}

/// Builds the module, generates `playground/generated` from it, and copies the page to `folder`, in place of what is
/// there.
pub fn build(workspace: &Workspace, folder: &Path) -> Result<Adapters> {
    let module = edge::compile(workspace, PACKAGE, PROFILE)?;
    let adapters = Adapters::ensure(workspace)?;
    let mut generate = adapters.script("generate:playground")?;
    process::run(generate.arg("--").arg(module).arg(folder))
        .context("cannot generate the playground")?;
    Ok(adapters)
}

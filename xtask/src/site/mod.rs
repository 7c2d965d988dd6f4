//! `cargo xtask site`: the documentation as two books, English and Chinese, with the playground beside them, below the
//! target folder.

mod edition;
mod html;
mod place;

use std::process::{Command, ExitCode};

use anyhow::{Result, bail};
use function_fetch_settings::Language;

use crate::playground;
use crate::process;
use crate::toolchain;
use crate::version::Version;
use crate::workspace::Workspace;
use edition::{Books, write};

const MDBOOK: Version = Version(0, 5, 4);

#[derive(clap::Args)]
pub struct Args {
    /// The address of the repository, for links to its files; by default the one that Cargo.toml has, if any
    #[arg(long, value_name = "URL")]
    repository: Option<String>,
}

/// Builds both books and the playground, and checks every link of theirs that leads to the site itself.
pub fn run(args: &Args) -> Result<ExitCode> {
    let mut workspace = Workspace::locate()?;
    if args.repository.is_some() {
        workspace.repository.clone_from(&args.repository);
    }
    let mdbook = toolchain::ensure_cargo_tool(&workspace, "mdbook", MDBOOK)?.join("mdbook");
    let site = workspace.target.join("site");
    let books = Books::read(&workspace.root)?;
    // The English one first: mdBook empties its folder, which has the other one in it.
    for language in Language::ALL {
        let source = workspace.target.join("site-sources").join(language.tag());
        write(&books, language, &workspace, &source)?;
        let mut build = Command::new(&mdbook);
        build
            .args(["build", "--dest-dir"])
            .arg(site.join(edition::folder(language)))
            .arg(&source);
        if let Some(repository) = &workspace.repository {
            // Its way to set `output.html.git-repository-url`.
            build.env("MDBOOK_OUTPUT__HTML__GIT_REPOSITORY_URL", repository);
        }
        process::run(&mut build)?;
    }
    // After the books, for the same reason.
    let page = site.join(playground::PAGE);
    playground::build(&workspace, page.parent().unwrap_or(&site))?;
    let broken = html::broken_links(&site)?;
    if !broken.is_empty() {
        bail!("links that lead nowhere:\n  {}", broken.join("\n  "));
    }
    process::say(&format!("Built {}", site.join("index.html").display()));
    Ok(ExitCode::SUCCESS)
}

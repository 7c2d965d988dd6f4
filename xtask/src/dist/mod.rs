//! `cargo xtask dist`: the files of a release, in `target/release-files`: cargo's folder of the profile is `target/dist`.
//!
//! The release workflow runs these commands. What it adds is what no other machine can: signatures in its own name, and
//! the right to publish.

mod archive;
mod checksums;
mod notes;
mod oci;
mod sbom;
mod templates;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Subcommand;

use crate::components::{self, Flavour, Optimizer};
use crate::workspace::Workspace;
use crate::{edge, host, process};

/// Below the target folder.
const FOLDER: &str = "release-files";

/// Seen from `adapters`: the package, and what `npm create function-fetch` runs.
const NPM_PACKAGES: [&str; 2] = [".", "./create"];

/// The version of every package of the workspace.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The flavours of the component, in the order of the README.
const FLAVOURS: [Flavour; 5] = [
    Flavour::Spin,
    Flavour::Wasi,
    Flavour::Middleware,
    Flavour::Spin02,
    Flavour::Wasi02,
];

#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    part: Part,
}

#[derive(Subcommand)]
enum Part {
    /// The components, made smaller by wasm-opt
    Components,
    /// The command, in an archive with its licences
    Command {
        /// The target to build for, which this machine must have a linker for [default: this machine]
        #[arg(long)]
        target: Option<String>,
    },
    /// The npm packages: function-fetch and create-function-fetch
    Npm,
    /// The bills of materials: CycloneDX, of the command, the components and the npm package
    Sbom,
    /// Spin's templates, with the address of the component that `dist components` has made
    Templates {
        /// The folder that will have the component, such as https://example.com/v1.0.0
        url: String,
    },
    /// SHA256SUMS of everything that is there
    Checksums,
    /// Print the changelog's section for a release; fails if the tag is not the version, or if there is none
    Notes {
        /// `v` and the version
        tag: String,
    },
    /// Push the components to an OCI registry, by wkg, which reads WKG_OCI_USERNAME and WKG_OCI_PASSWORD
    Oci {
        /// Such as registry.example.com/someone
        registry: String,
        /// The address of the repository, as an annotation
        #[arg(long)]
        source: Option<String>,
        /// The registry speaks HTTP, such as one on this machine
        #[arg(long)]
        insecure: bool,
    },
}

/// Makes one part.
pub fn run(args: &Args) -> Result<ExitCode> {
    let workspace = Workspace::locate()?;
    let dist = Dist::create(&workspace)?;
    match &args.part {
        Part::Components => dist.components()?,
        Part::Command { target } => dist.command(target.as_deref())?,
        Part::Npm => dist.npm()?,
        Part::Sbom => sbom::write(&workspace, &dist.folder)?,
        Part::Templates { url } => templates::write(&workspace, &dist.folder, url)?,
        Part::Checksums => checksums::write(&dist.folder)?,
        Part::Notes { tag } => process::say(&notes::of(&workspace, tag)?),
        Part::Oci {
            registry,
            source,
            insecure,
        } => oci::push(
            &workspace,
            &dist.folder,
            registry,
            source.as_deref(),
            *insecure,
        )?,
    }
    Ok(ExitCode::SUCCESS)
}

struct Dist<'a> {
    workspace: &'a Workspace,
    folder: PathBuf,
}

impl<'a> Dist<'a> {
    fn create(workspace: &'a Workspace) -> Result<Self> {
        let folder = workspace.target.join(FOLDER);
        fs::create_dir_all(&folder)
            .with_context(|| format!("cannot create {}", folder.display()))?;
        Ok(Self { workspace, folder })
    }

    fn components(&self) -> Result<()> {
        let optimizer = Optimizer::require(self.workspace)?;
        for flavour in FLAVOURS {
            let built = components::build(self.workspace, flavour, &optimizer)?;
            let file = self.folder.join(flavour.file_name());
            fs::copy(&built, &file).with_context(|| format!("cannot copy {}", built.display()))?;
            made(&file);
        }
        Ok(())
    }

    fn command(&self, target: Option<&str>) -> Result<()> {
        let (program, target) = match target {
            Some(target) => (host::build_for(self.workspace, target)?, target.to_owned()),
            None => (host::build_released(self.workspace)?, host::this_machine()?),
        };
        let file = archive::of_command(&self.workspace.root, &self.folder, &program, &target)?;
        made(&file);
        Ok(())
    }

    /// `npm pack` runs the script `prepack` of each, which builds what is in it.
    fn npm(&self) -> Result<()> {
        let adapters = edge::build(self.workspace)?;
        for package in NPM_PACKAGES {
            process::run(
                adapters
                    .npm()
                    .args(["pack", package, "--pack-destination"])
                    .arg(&self.folder),
            )?;
        }
        Ok(())
    }
}

fn made(file: &Path) {
    process::say(&file.display().to_string());
}

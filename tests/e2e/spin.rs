//! What `docs/spin.md` has a user type, typed: the templates, and Spin's own composition of a middleware.

use std::os::unix::fs::symlink;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use function_fetch_cases::repository;
use function_fetch_pages::code;
use tempfile::TempDir;

use crate::promises;
use crate::support::environment::environment;
use crate::support::host::Host;
use crate::support::origin::Origin;
use crate::support::port::{self, Port};
use crate::support::process::Process;
use crate::support::setup::Proxy;
use crate::support::suite::Suite;

pub fn register(suite: &mut Suite) {
    promises!(
        suite,
        &[Host::SpinUp],
        [
            a_template_makes_a_proxy,
            a_template_adds_a_proxy_to_an_application,
            a_template_makes_a_component_a_target_by_its_name,
            a_middleware_has_the_component_behind_it_as_a_target,
        ]
    );
}

/// The targets of the page's commands.
const TARGETS: &str = "https://us.example.com https://eu.example.com";

/// One of them.
const TARGET: &str = "https://us.example.com";

/// What the component of the template answers.
fn answers(path: &str) -> String {
    format!("The component answers {path}\n")
}

/// The block of code of the page that begins so.
fn block(beginning: &str) -> String {
    let page = repository().join("docs/spin.md");
    let page = std::fs::read_to_string(page).expect("the page");
    let mut blocks = code(&page).into_iter().map(|block| block.text);
    blocks
        .find(|text| text.starts_with(beginning))
        .unwrap_or_else(|| panic!("no block of the page begins with {beginning:?}"))
}

/// Somebody with a clone of the repository, in which the components are built, and with a Spin that knows its templates.
struct User {
    directory: TempDir,
}

impl User {
    async fn new() -> Self {
        let user = Self {
            directory: TempDir::new().expect("a temporary directory"),
        };
        symlink(repository().join("templates"), user.path("templates")).expect("writable");
        let environment = environment();
        user.has(
            &environment.spin_wasm,
            "target/components/function-fetch-spin.wasm",
        );
        user.types(&block("spin templates install")).await;
        user
    }

    fn path(&self, path: &str) -> PathBuf {
        self.directory.path().join(path)
    }

    /// The same, in a folder that is there.
    fn place(&self, path: &str) -> PathBuf {
        let path = self.path(path);
        std::fs::create_dir_all(path.parent().expect("it is in a folder")).expect("writable");
        path
    }

    /// Gives them a built file.
    fn has(&self, file: &Path, path: &str) {
        std::fs::copy(file, self.place(path)).expect("it is built");
    }

    fn writes(&self, path: &str, text: &str) {
        std::fs::write(self.place(path), text).expect("writable");
    }

    fn shell(&self, commands: &str) -> Process {
        let spin = environment().spin.as_ref().expect("checked by the suite");
        let mut folders = vec![spin.parent().expect("a folder").to_owned()];
        let path = std::env::var_os("PATH").unwrap_or_default();
        folders.extend(std::env::split_paths(&path));
        let mut command = Command::new("bash");
        command
            .args(["-e", "-c", commands])
            .current_dir(self.directory.path())
            .env("PATH", std::env::join_paths(folders).expect("paths"))
            // Templates of the developer's own stay as they are.
            .env("SPIN_DATA_DIR", self.path("data"))
            // What Spin starts ends with the group.
            .process_group(0);
        Process::spawn(command)
    }

    async fn types(&self, commands: &str) {
        let mut shell = self.shell(commands);
        let status = shell.exit().await;
        assert!(status.success(), "{commands}: {:?}", shell.stderr());
    }

    /// Types commands of which the last is `spin up`.
    async fn serves(&self, commands: &str) -> Proxy {
        let listen = format!(" --listen 127.0.0.1:{}", port::free());
        Proxy::of(self.shell(&(commands.trim_end().to_owned() + &listen))).await
    }
}

async fn a_template_makes_a_proxy(_: Host) {
    let user = User::new().await;
    let (dead, origin) = (Port::hold(), Origin::start("server"));
    let targets = format!("{} {}", dead.url(), origin.url());
    let commands = block("spin new -t function-fetch my-proxy").replace(TARGETS, &targets);
    let proxy = user.serves(&commands).await;
    for _ in 0..3 {
        proxy.get("/hello").await.is_from("server");
    }
}

async fn a_template_adds_a_proxy_to_an_application(_: Host) {
    let user = User::new().await;
    let origin = Origin::start("server");
    user.has(&environment().spin_app_wasm, "shop/shop.wasm");
    user.has(&environment().spin_wasm, "shop/function-fetch-spin.wasm");
    user.writes(
        "shop/spin.toml",
        r#"
spin_manifest_version = 2

[application]
name = "shop"

[[trigger.http]]
route = "/shop/..."
component = "shop"

[component.shop]
source = "shop.wasm"
"#,
    );
    user.types(&format!(
        "cd shop && spin add -t function-fetch front --accept-defaults --value targets={}",
        origin.url()
    ))
    .await;
    let proxy = user.serves("cd shop && spin up").await;
    proxy.get("/hello").await.is_from("server");
    assert_eq!(
        proxy.get("/shop/hello").await.text(),
        answers("/shop/hello")
    );
}

async fn a_template_makes_a_component_a_target_by_its_name(_: Host) {
    let user = User::new().await;
    user.has(&environment().spin_app_wasm, "app.wasm");
    let built = "mkdir -p app/target/wasm32-wasip2/release && cp ../app.wasm app/target/wasm32-wasip2/release/";
    let dead = Port::hold();
    let commands = block("spin new -t function-fetch-app")
        .replace("https://eu.example.com", &dead.url())
        // It would fetch the packages that it depends on.
        .replace("spin build\n", &format!("{built}\n"));
    let proxy = user.serves(&commands).await;
    for _ in 0..3 {
        assert_eq!(proxy.get("/hello").await.text(), answers("/hello"));
    }
    drop(proxy);

    let mut origin = Origin::start("server");
    let readme = std::fs::read_to_string(user.path("my-app/README.md")).expect("it is made");
    let command = readme
        .lines()
        .find(|line| line.contains("\"tier\": 2"))
        .expect("the command for a later tier")
        .replace(TARGET, &origin.url());
    let proxy = user.serves(&format!("cd my-app\n{command}")).await;
    // The component is faster, but of a later tier.
    for _ in 0..3 {
        proxy.get("/hello").await.is_from("server");
    }
    origin.kill().await;
    for _ in 0..3 {
        assert_eq!(proxy.get("/hello").await.text(), answers("/hello"));
    }
}

async fn a_middleware_has_the_component_behind_it_as_a_target(_: Host) {
    let user = User::new().await;
    let environment = environment();
    let name = "function-fetch-middleware.wasm";
    user.has(&environment.middleware_wasm, &format!("piped/{name}"));
    user.has(
        &environment.spin_app_wasm,
        "piped/app/target/wasm32-wasip2/release/app.wasm",
    );
    let mut origin = Origin::start("server");
    let application = "spin_manifest_version = 2\n\n[application]\nname = \"piped\"\n\n";
    let manifest = block("[[trigger.http]]").replace(TARGET, &origin.url());
    user.writes("piped/spin.toml", &(application.to_owned() + &manifest));
    let proxy = user.serves("cd piped && spin up").await;
    for _ in 0..3 {
        proxy.get("/hello").await.is_from("server");
    }
    origin.kill().await;
    for _ in 0..3 {
        assert_eq!(proxy.get("/hello").await.text(), answers("/hello"));
    }
}

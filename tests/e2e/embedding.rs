//! The host as a library: the program in `crates/host/examples` serves the component, supplies its own store and gets
//! every event.

use std::process::Command;

use rustix::process::Signal;

use crate::promises;
use crate::support::client::{self, get};
use crate::support::environment::environment;
use crate::support::host::{EMBEDDED, Host};
use crate::support::origin::Origin;
use crate::support::process::Process;
use crate::support::setup::served_address;
use crate::support::suite::Suite;
use crate::support::waiting::{eventually, ms};

pub fn register(suite: &mut Suite) {
    promises!(
        suite,
        EMBEDDED,
        [
            a_program_serves_the_component_with_its_own_store_and_gets_its_events,
            a_program_gets_an_error_for_an_invalid_component,
        ]
    );
}

async fn a_program_serves_the_component_with_its_own_store_and_gets_its_events(_: Host) {
    let slow = Origin::start("slow").probed_in(ms(200));
    let mut fast = Origin::start("fast");
    let mut command = Command::new(&environment().embed_example);
    command.arg(&environment().spin_wasm);
    command.args([slow.url(), fast.url()]);
    let mut program = Process::spawn(command);
    let address = eventually("it serves", || {
        program
            .stdout()
            .iter()
            .find_map(|line| served_address(line))
    })
    .await;
    let said = async |text: String| {
        eventually(&text, || {
            program
                .stdout()
                .iter()
                .any(|line| line.contains(&text))
                .then_some(())
        })
        .await;
    };

    client::send(address, get("/")).await.is_from("fast");
    said(format!("traffic goes to {} (probed)", fast.url())).await;
    said("stored proxy:fastest: {".to_owned()).await;
    fast.kill_at_rest().await;
    client::send(address, get("/")).await.is_from("slow");
    said(format!("{} failed (", fast.url())).await;
    said(format!("traffic goes to {} (failover)", slow.url())).await;
    let notices: Vec<_> = program
        .stderr()
        .into_iter()
        .filter(|line| line.contains("\"source\""))
        .collect();
    assert_eq!(notices, Vec::<String>::new(), "reported twice");

    program.signal(Signal::INT);
    assert!(program.exit().await.success());
    assert_eq!(program.stdout().last().map(String::as_str), Some("ended"));
}

async fn a_program_gets_an_error_for_an_invalid_component(_: Host) {
    let mut command = Command::new(&environment().embed_example);
    command.args(["/nowhere.wasm", "http://127.0.0.1:1"]);
    let mut program = Process::spawn(command);
    assert!(!program.exit().await.success());
    assert_eq!(
        program.stderr(),
        ["error: cannot read /nowhere.wasm: No such file or directory (os error 2)"]
    );
}

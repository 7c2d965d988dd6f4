//! The `SpinApp`. Its types are in no registry; these follow the custom
//! resource definition of the Spin operator, as far as they are used.

use crate::hosts;
use crate::kubernetes::{documents, runtime_config};
use function_fetch_component::variables::variable;
use function_fetch_engine::settings::NAMES;
use serde::Deserialize;
use std::collections::BTreeMap;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct SpinApp {
    api_version: String,
    kind: String,
    metadata: Metadata,
    spec: Spec,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Metadata {
    name: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Spec {
    image: String,
    executor: String,
    #[expect(dead_code, reason = "it exists")]
    service_account_name: String,
    #[expect(dead_code, reason = "it exists")]
    pod_labels: BTreeMap<String, String>,
    replicas: u32,
    runtime_config: RuntimeConfig,
    variables: Vec<Variable>,
    resources: Resources,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct RuntimeConfig {
    load_from_secret: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Variable {
    name: String,
    value: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Resources {
    requests: BTreeMap<String, String>,
    limits: BTreeMap<String, String>,
}

#[test]
fn the_app_runs_our_version_in_replicas_with_the_shared_store() {
    let [_, app] = &documents("deploy/spinkube/spinapp.yaml")[..] else {
        panic!("an account and an app");
    };
    let app: SpinApp = serde_json::from_value(app.clone()).expect("a SpinApp");
    assert_eq!(app.api_version, "core.spinkube.dev/v1alpha1");
    assert_eq!(app.kind, "SpinApp");
    assert_eq!(app.metadata.name, "function-fetch");
    let image = format!("/function-fetch:{}", env!("CARGO_PKG_VERSION"));
    assert!(app.spec.image.ends_with(&image), "{}", app.spec.image);
    assert_eq!(app.spec.executor, "containerd-shim-spin");
    assert!(app.spec.replicas > 1);
    assert_eq!(app.spec.runtime_config.load_from_secret, runtime_config().0);
    assert!(app.spec.resources.requests.contains_key("cpu"));
    assert!(app.spec.resources.limits.contains_key("memory"));

    // Variables of the application, by the names that its manifest gives them.
    let known = NAMES.map(variable);
    for Variable { name, .. } in &app.spec.variables {
        assert!(known.contains(name), "{name} is no variable of spin.toml");
    }
    let targets = app
        .spec
        .variables
        .iter()
        .find(|variable| variable.name == "fetch_targets")
        .expect("targets");
    assert_eq!(hosts(&targets.value).len(), 2);
}

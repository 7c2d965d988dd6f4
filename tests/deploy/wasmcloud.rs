//! wasmCloud's `WorkloadDeployment`, after its custom resource definition, as
//! far as it is used: no registry has the types.

use crate::kubernetes::documents;
use crate::{assert_settings_exist, hosts};
use serde::Deserialize;
use std::collections::BTreeMap;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct WorkloadDeployment {
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
#[serde(deny_unknown_fields)]
struct Spec {
    replicas: u32,
    template: Template,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Template {
    spec: Workload,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Workload {
    host_selector: BTreeMap<String, String>,
    components: Vec<Component>,
    host_interfaces: Vec<Interface>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Component {
    name: String,
    image: String,
    local_resources: Resources,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Resources {
    environment: Environment,
    allowed_hosts: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Environment {
    config: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Interface {
    namespace: String,
    package: String,
    interfaces: Vec<String>,
    config: BTreeMap<String, String>,
}

#[test]
fn the_workload_may_reach_its_targets_and_serves_http() {
    let [workload] = &documents("deploy/wasmcloud/workload.yaml")[..] else {
        panic!("one document");
    };
    let workload: WorkloadDeployment =
        serde_json::from_value(workload.clone()).expect("a WorkloadDeployment");
    assert_eq!(workload.api_version, "runtime.wasmcloud.dev/v1alpha1");
    assert_eq!(workload.kind, "WorkloadDeployment");
    assert_eq!(workload.metadata.name, "function-fetch");
    assert!(workload.spec.replicas > 1);
    let spec = workload.spec.template.spec;
    assert!(!spec.host_selector.is_empty());

    let [component] = &spec.components[..] else {
        panic!("one component");
    };
    assert_eq!(component.name, "function-fetch");
    let image = format!("/function-fetch:{}", env!("CARGO_PKG_VERSION"));
    assert!(component.image.ends_with(&image), "{}", component.image);
    let settings = &component.local_resources.environment.config;
    assert_settings_exist(settings.keys().map(String::as_str));
    // Unless its host is in the list, every request to a target is denied
    // there.
    assert_eq!(
        component.local_resources.allowed_hosts,
        hosts(&settings["FETCH_TARGETS"])
    );

    let [http] = &spec.host_interfaces[..] else {
        panic!("one interface");
    };
    assert_eq!(
        (http.namespace.as_str(), http.package.as_str()),
        ("wasi", "http")
    );
    assert_eq!(http.interfaces, ["incoming-handler"]);
    assert!(http.config.contains_key("host"));
}

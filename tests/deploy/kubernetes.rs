//! Kubernetes' own objects, checked with the types that are generated from its
//! API.

use crate::text;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler;
use k8s_openapi::api::core::v1::{Secret, Service, ServiceAccount};
use k8s_openapi::api::networking::v1::NetworkPolicy;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;

/// The documents of a YAML file.
pub fn documents(path: &str) -> Vec<Value> {
    let text = text(path);
    serde_yaml_ng::Deserializer::from_str(&text)
        .map(|document| {
            Value::deserialize(document).unwrap_or_else(|error| panic!("{path}: {error}"))
        })
        .collect()
}

/// Parses an object as its kind. What the type does not know would be lost on
/// the way back.
fn read<T: DeserializeOwned + Serialize>(value: &Value) -> T {
    let object: T = serde_json::from_value(value.clone())
        .unwrap_or_else(|error| panic!("{}: {error}", value["kind"]));
    let back = serde_json::to_value(&object).expect("it was JSON");
    assert_eq!(&back, value, "a field that Kubernetes does not know");
    object
}

/// The secret with the runtime configuration: its name, and the file.
pub fn runtime_config() -> (String, String) {
    let [secret] = &documents("deploy/spinkube/runtime-config.yaml")[..] else {
        panic!("one document");
    };
    let secret: Secret = read(secret);
    let mut files = secret.string_data.expect("plain text");
    let file = files
        .remove("runtime-config.toml")
        .expect("the key that the shim mounts");
    assert!(files.is_empty());
    (secret.metadata.name.expect("a name"), file)
}

#[test]
fn the_redis_of_the_runtime_config_is_the_one_that_is_deployed() {
    let [service, deployment, policy] = &documents("deploy/spinkube/redis.yaml")[..] else {
        panic!("a service, a deployment and a policy");
    };
    let service: Service = read(service);
    let deployment: Deployment = read(deployment);
    let spec = service.spec.expect("a spec");
    let ports = spec.ports.expect("ports");
    let url = format!(
        "redis://{}:{}",
        service.metadata.name.as_deref().expect("a name"),
        ports[0].port
    );
    assert!(runtime_config().1.contains(&format!("\"{url}\"")), "{url}");

    let pods = deployment.spec.expect("a spec").template;
    let labels = pods.metadata.and_then(|meta| meta.labels).expect("labels");
    let wanted = spec.selector.expect("a selector");
    assert!(
        wanted
            .iter()
            .all(|(key, value)| labels.get(key) == Some(value))
    );
    let containers = pods.spec.expect("a spec").containers;
    let port = &containers[0].ports.as_ref().expect("ports")[0];
    assert_eq!(port.container_port, ports[0].port);

    let context = containers[0].security_context.as_ref().expect("one");
    assert_eq!(context.allow_privilege_escalation, Some(false));
    assert_eq!(context.read_only_root_filesystem, Some(true));
    assert_eq!(context.run_as_non_root, Some(true));
    let dropped = context.capabilities.as_ref().and_then(|c| c.drop.clone());
    assert_eq!(dropped, Some(vec!["ALL".to_owned()]));

    let policy: NetworkPolicy = read(policy);
    let policy = policy.spec.expect("a spec");
    let selected = policy.pod_selector.expect("a selector").match_labels;
    assert_eq!(selected, Some(wanted));
    // Without a rule nothing goes out.
    assert_eq!(
        policy.policy_types,
        Some(vec!["Ingress".to_owned(), "Egress".to_owned()])
    );
    assert_eq!(policy.egress, None);
    let [rule] = &policy.ingress.expect("rules")[..] else {
        panic!("one rule");
    };
    let [peer] = &rule.from.as_ref().expect("peers")[..] else {
        panic!("one peer");
    };
    let peers = peer.pod_selector.as_ref().expect("pods");
    let peers = peers.match_labels.as_ref().expect("labels");
    let [_, app] = &documents("deploy/spinkube/spinapp.yaml")[..] else {
        panic!("an account and an app");
    };
    assert_eq!(serde_json::json!(peers), app["spec"]["podLabels"]);
}

#[test]
fn the_pods_get_no_token_of_the_cluster() {
    let [account, app] = &documents("deploy/spinkube/spinapp.yaml")[..] else {
        panic!("an account and an app");
    };
    assert_eq!(
        app["spec"]["serviceAccountName"],
        account["metadata"]["name"]
    );
    let account: ServiceAccount = read(account);
    assert_eq!(account.automount_service_account_token, Some(false));
}

#[test]
fn the_autoscaler_scales_the_spin_apps_deployment() {
    let [scaler] = &documents("deploy/spinkube/autoscaler.yaml")[..] else {
        panic!("one document");
    };
    let scaler: HorizontalPodAutoscaler = read(scaler);
    let spec = scaler.spec.expect("a spec");
    let [_, app] = &documents("deploy/spinkube/spinapp.yaml")[..] else {
        panic!("an account and an app");
    };
    // The operator gives the deployment the app's name.
    assert_eq!(app["metadata"]["name"], spec.scale_target_ref.name.as_str());
    assert_eq!(spec.scale_target_ref.kind, "Deployment");
    assert!(
        spec.min_replicas
            .is_some_and(|least| least >= 2 && least <= spec.max_replicas)
    );
    // Utilisation is measured against the request.
    assert!(app["spec"]["resources"]["requests"]["cpu"].is_string());
}

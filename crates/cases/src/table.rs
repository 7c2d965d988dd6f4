//! The table: all files of `tests/cases`, checked as they are read.

use crate::error::TableError;
use crate::exception::{self, Exception, REPLACEABLE};
use crate::host::has_store;
use crate::placeholders::Meanings;
use crate::plan::{self, Plan};
use crate::repository::repository;
use serde::Deserialize;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// One case.
#[derive(Clone, Debug)]
pub struct Case {
    group: String,
    name: String,
    json: Map<String, Value>,
    exceptions: BTreeMap<String, Exception>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct GroupJson {
    group: String,
    cases: Vec<Map<String, Value>>,
}

/// Reads every case of the repository.
///
/// # Errors
///
/// The first error in the table.
pub fn read_all() -> Result<Vec<Case>, TableError> {
    let folder = repository().join("tests").join("cases");
    let unreadable = |path: &Path| {
        let path = path.to_owned();
        |source| TableError::Unreadable { path, source }
    };
    let mut files: Vec<PathBuf> = fs::read_dir(&folder)
        .and_then(|entries| entries.map(|entry| Ok(entry?.path())).collect())
        .map_err(unreadable(&folder))?;
    files.retain(|path| path.extension().is_some_and(|kind| kind == "json"));
    files.sort();
    let mut cases: Vec<Case> = Vec::new();
    let mut names = BTreeSet::new();
    for path in files {
        let file = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let text = fs::read_to_string(&path).map_err(unreadable(&path))?;
        for case in read_group(&file, &text)? {
            if !names.insert(case.name.clone()) {
                return Err(TableError::Case {
                    file,
                    case: case.name,
                    reason: "another case has the same name".into(),
                });
            }
            cases.push(case);
        }
    }
    if cases.is_empty() {
        return Err(TableError::Empty { folder });
    }
    Ok(cases)
}

/// Reads the text of one file.
///
/// # Errors
///
/// The first error in it.
pub fn read_group(file: &str, text: &str) -> Result<Vec<Case>, TableError> {
    let malformed = |reason: String| TableError::Group {
        file: file.to_owned(),
        reason,
    };
    let json = &mut serde_json::Deserializer::from_str(text);
    let group: GroupJson =
        serde_path_to_error::deserialize(json).map_err(|error| malformed(error.to_string()))?;
    if !is_snake_case(&group.group) {
        return Err(malformed(format!(
            "the group {:?} is not in snake_case",
            group.group
        )));
    }
    let mut cases = Vec::new();
    for (index, members) in group.cases.into_iter().enumerate() {
        let name = match members.get("name") {
            Some(Value::String(name)) => name.clone(),
            _ => format!("cases[{index}]"),
        };
        let case = Case::read(&group.group, members).map_err(|reason| TableError::Case {
            file: file.to_owned(),
            case: name,
            reason,
        })?;
        cases.push(case);
    }
    Ok(cases)
}

impl Case {
    fn read(group: &str, mut members: Map<String, Value>) -> Result<Self, String> {
        let mut text = |name: &str| match members.remove(name) {
            Some(Value::String(text)) if !text.trim().is_empty() => Ok(text),
            _ => Err(format!("it has no {name:?}")),
        };
        let name = text("name")?;
        text("why")?;
        if !is_snake_case(&name) {
            return Err("its name is not in snake_case".into());
        }
        let exceptions = match members.remove("except") {
            None => BTreeMap::new(),
            Some(Value::Object(except)) => exception::read(except)?,
            Some(_) => return Err("\"except\" is not an object".into()),
        };
        if let Some(unknown) = members
            .keys()
            .find(|name| !REPLACEABLE.contains(&name.as_str()))
        {
            return Err(format!("unknown member {unknown:?}"));
        }
        let case = Self {
            group: group.to_owned(),
            name,
            json: members,
            exceptions,
        };
        case.check("")?;
        for host in case.exceptions.keys() {
            case.check(host)
                .map_err(|reason| format!("except for {host}: {reason}"))?;
        }
        Ok(case)
    }

    /// Group and name, which is the test's name.
    #[must_use]
    pub fn id(&self) -> String {
        format!("{}::{}", self.group, self.name)
    }

    /// Why a host skips it, if it does.
    #[must_use]
    pub fn skipped(&self, host: &str) -> Option<&str> {
        if let Some(Exception::Skip(why)) = self.exceptions.get(host) {
            return Some(why);
        }
        let json = self.json_for(host);
        let stores = json.contains_key("store") || json.contains_key("store_after");
        (stores && !has_store(host)).then_some("it has no store")
    }

    /// The group of its file.
    #[must_use]
    pub fn group(&self) -> &str {
        &self.group
    }

    /// The names of its upstreams.
    #[must_use]
    pub fn upstreams(&self, host: &str) -> Vec<String> {
        match self.json_for(host).get("upstreams") {
            Some(Value::Object(upstreams)) => upstreams.keys().cloned().collect(),
            _ => Vec::new(),
        }
    }

    /// What a host runs.
    ///
    /// # Errors
    ///
    /// What is invalid, and where.
    pub fn plan(&self, host: &str, meanings: &Meanings) -> Result<Plan, String> {
        let mut json = Value::Object(self.json_for(host));
        meanings.fill(&mut json)?;
        let plan: Plan =
            serde_path_to_error::deserialize(json).map_err(|error| error.to_string())?;
        plan.check()?;
        Ok(plan)
    }

    /// Whether a host can run it, whatever the placeholders are.
    fn check(&self, host: &str) -> Result<(), String> {
        let authorities = self
            .upstreams(host)
            .into_iter()
            .map(|name| (name, "127.0.0.1:1".to_owned()))
            .collect();
        let meanings = Meanings::of(&authorities)
            .proxy("127.0.0.1:1")
            .client("127.0.0.1");
        self.plan(host, &meanings).map(drop)
    }

    fn json_for(&self, host: &str) -> Map<String, Value> {
        let mut json = self.json.clone();
        if let Some(Exception::Replace(members)) = self.exceptions.get(host) {
            json.extend(members.clone());
        }
        json.entry("upstreams").or_insert_with(plan::two_plain);
        json
    }
}

fn is_snake_case(name: &str) -> bool {
    !name.is_empty()
        && name
            .bytes()
            .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_'))
}

//! The endpoints, one file a group. Each is a function of the world and the call; the table below is the API.

mod cancel;
mod get_output;
mod jobs;
mod me;
pub mod model;
mod repair;
mod run_now;
mod runs_get;
mod runs_list;
mod update;

use super::azure;
use super::call::{Answer, Call, Refusal, Version};
use super::world::World;

pub type Endpoint = fn(&mut World, &Call) -> Answer;

/// Under `/api/2.1/jobs` and `/api/2.2/jobs`.
const JOBS: [(&str, &str, Endpoint); 10] = [
    ("GET", "/list", jobs::list),
    ("GET", "/get", jobs::get),
    ("POST", "/update", update::update),
    ("POST", "/run-now", run_now::run_now),
    ("POST", "/runs/submit", run_now::submit),
    ("GET", "/runs/list", runs_list::list),
    ("GET", "/runs/get", runs_get::get),
    ("GET", "/runs/get-output", get_output::get_output),
    ("POST", "/runs/repair", repair::repair),
    ("POST", "/runs/cancel", cancel::cancel),
];
const ME: &str = "/api/2.0/preview/scim/v2/Me";

/// The endpoint of a path and the version it is asked in.
pub fn find(method: &str, path: &str) -> Result<(Endpoint, Version), Refusal> {
    let missing = || Refusal { status: 404, error_code: "ENDPOINT_NOT_FOUND", message: format!("No API found for '{method} {path}'") };
    if method == "GET" && path == ME {
        return Ok((me::me, Version::V22));
    }
    if method == "POST" && azure::is_chat(path) {
        return Ok((model::chat, Version::V22));
    }
    let newer = path.strip_prefix("/api/2.2/jobs").map(|rest| (Version::V22, rest));
    let (version, rest) = newer.or_else(|| path.strip_prefix("/api/2.1/jobs").map(|rest| (Version::V21, rest))).ok_or_else(missing)?;
    let found = JOBS.iter().find(|(asked, at, _)| *asked == method && *at == rest);
    found.map(|(_, _, endpoint)| (*endpoint, version)).ok_or_else(missing)
}

//! GET preview/scim/v2/Me: who the token belongs to.

use serde_json::json;

use super::{Answer, Call, World};

pub fn me(world: &mut World, _: &Call) -> Answer {
    let user = &world.workspace.user;
    Ok(json!({
        "id": "1000000000000001",
        "userName": user,
        "displayName": user,
        "active": true,
        "emails": [{"value": user, "type": "work", "primary": true}],
        "groups": [{"display": "users", "value": "2000000000000001", "type": "direct"}],
        "entitlements": [{"value": "workspace-access"}],
    }))
}

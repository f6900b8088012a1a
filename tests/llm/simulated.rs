//! Our Azure client against the simulator's model: two readings of one wire, written apart, must agree. What OpenAI's SDK reads in the
//! simulator's answers is in `tests/sdk.rs`, what our client reads in another server's in `gateway.rs`.

use runmend::classify::Classifier;
use runmend::domain::Timestamp;
use runmend::domain::evidence::FailureText;
use runmend::domain::secret::Secret;
use runmend::llm::{Connection, Options, Provider, connect, provider};
use runmend::sim::{Options as SimOptions, Simulator};
use serde_json::{Value, json};
use url::Url;

use super::support::{self, Failed};

/// Under the fault, the agent hears an opinion or these words of the reason.
async fn check(simulator: &Simulator, failed: &Failed, version: Option<&str>, key: Option<&str>, fault: Value, want: Result<(), &str>) {
    let ready = simulator.ready();
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let mut commands = vec![json!({"do": "clear_faults"})];
    commands.extend((!fault.is_null()).then_some(fault.clone()));
    assert!(http.post(&ready.control_url).json(&commands).send().await.unwrap().status().is_success(), "{fault}");
    let connection = Connection {
        provider: Provider::Azure,
        base_url: Some(Url::parse(&ready.url).unwrap()),
        deployment: Some("simulated-model".to_owned()),
        model: None,
        api_version: version.map(str::to_owned),
        credential: provider::key(Provider::Azure, Some(Secret::new(key.unwrap_or(&ready.token)))),
    };
    let desk = support::desk(connect(&connection).unwrap(), Options::default());
    let said = support::opinion(&desk, failed, Timestamp::UNIX_EPOCH, &mut String::new()).await;
    match (&said, want) {
        (Ok(opinion), Ok(())) => assert!(opinion.grounded && opinion.tokens.output > 0, "{version:?} {fault}: {opinion:#?}"),
        (Err(reason), Err(words)) => assert!(reason.to_string().contains(words), "{version:?} {fault}: {reason}"),
        _ => panic!("{version:?} {fault}: {said:#?}, not {want:?}"),
    }
}

async fn form(version: Option<&str>) {
    let simulator = Simulator::start(SimOptions::default()).await.unwrap();
    let text = FailureText { error: Some("java.net.ConnectException: Connection refused".to_owned()), ..FailureText::default() };
    let failed = support::failed(&Classifier::shipped(), &text);
    let fault = |fault: Value| {
        let mut command = json!({"do": "fault", "path": "/chat/completions"});
        command.as_object_mut().unwrap().extend(fault.as_object().unwrap().clone());
        command
    };
    for (key, fault, want) in [
        (None, Value::Null, Ok(())),
        (Some("wrong"), Value::Null, Err("refused our credential (401): Access denied")),
        (None, fault(json!({"status": 429, "retry_after": 90})), Err("rate limit is reached until")),
        (None, fault(json!({"status": 404})), Err("no such model, deployment or API version: The API deployment")),
        (None, fault(json!({"body": "content_filter"})), Err("content filter stopped it (jailbreak)")),
        (None, fault(json!({"cut_after": 4, "times": 1})), Ok(())),
    ] {
        check(&simulator, &failed, version, key, fault, want).await;
    }
    simulator.stop().await;
}

#[tokio::test]
async fn the_simulated_model_speaks_as_our_client_reads_it() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    tokio::join!(form(Some("2024-10-21")), form(None));
}

//! What somebody meets who sets the bot up: the manifest, `doctor`, and each mistake.

use std::collections::BTreeSet;

use rca_agent::bot::slack::SCOPES;
use serde_json::Value;

use crate::{
    fake::{FakeSlack, Fault},
    whole::{bot, hub, program},
};

#[test]
fn the_app_of_the_manifest_may_do_what_the_bot_does() {
    let printed = program().args(["slack", "--manifest"]).output().unwrap();
    assert!(printed.status.success());
    let manifest: Value = serde_saphyr::from_slice(&printed.stdout).unwrap();
    let scopes: BTreeSet<&str> = manifest["oauth_config"]["scopes"]["bot"]
        .as_array()
        .unwrap()
        .iter()
        .map(|scope| scope.as_str().unwrap())
        .collect();
    for (method, scope) in SCOPES {
        assert!(scopes.contains(scope), "{method} needs {scope}");
    }
    assert_eq!(manifest["settings"]["socket_mode_enabled"], true);
    assert_eq!(manifest["features"]["slash_commands"][0]["command"], "/rca");
    assert_eq!(
        manifest["features"]["shortcuts"][0]["callback_id"],
        "investigate_alert"
    );
}

/// The lines of `doctor` about the bot.
fn examined(
    fake: &FakeSlack,
    hub: &crate::whole::Process,
    prepare: impl FnOnce(&mut std::process::Command),
) -> String {
    let dir = tempfile::tempdir().unwrap();
    let mut command = bot(fake, hub, dir.path(), "doctor");
    command.env(
        "RCA_DATABASE",
        format!("sqlite:{}", dir.path().join("bot.db").display()),
    );
    prepare(&mut command);
    let output = command.output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let lines = text.lines().skip_while(|line| !line.contains("slack "));
    let kept: Vec<&str> = lines.collect();
    format!("{}\nstatus {:?}", kept.join("\n"), output.status.code())
}

#[tokio::test(flavor = "multi_thread")]
async fn doctor_looks_at_tokens_scopes_and_database() {
    let fake = FakeSlack::start().await;
    let hub = hub();
    let well = examined(&fake, &hub, |_| {});
    fake.change(|state| state.scopes.retain(|scope| scope != "users:read"));
    let poor = examined(&fake, &hub, |command| {
        command
            .env_remove("SLACK_APP_TOKEN")
            .env_remove("SLACK_SIGNING_SECRET");
    });
    fake.fail("auth.test", Fault::Word("invalid_auth"));
    let wrong = examined(&fake, &hub, |command| {
        command.env("RCA_DATABASE", "mysql://u:geheim@h/d");
    });
    insta::assert_snapshot!(format!("{well}\n\n{poor}\n\n{wrong}"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_missing_is_told_with_where_to_find_it() {
    let fake = FakeSlack::start().await;
    let dir = tempfile::tempdir().unwrap();
    let mut told = String::new();
    for (what, words) in [
        ("no app token", vec!["slack"]),
        ("nobody could be let in", vec!["serve"]),
    ] {
        let output = program().current_dir(dir.path()).args(words).output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        told.push_str(&format!("{what}: status {:?}\n{stderr}\n", output.status.code()));
    }
    let output = program()
        .current_dir(dir.path())
        .arg("slack")
        .env("SLACK_APP_TOKEN", "xapp")
        .output()
        .unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    told.push_str(&format!(
        "no bot token: status {:?}\n{stderr}\n",
        output.status.code()
    ));
    fake.fail("auth.test", Fault::Word("invalid_auth"));
    let output = program()
        .current_dir(dir.path())
        .arg("slack")
        .env("SLACK_API_URL", &fake.url)
        .env("SLACK_APP_TOKEN", "xapp")
        .env("SLACK_BOT_TOKEN", "xoxb-wrong")
        .output()
        .unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    told.push_str(&format!(
        "a wrong token: status {:?}\n{stderr}\n",
        output.status.code()
    ));
    assert!(!told.contains("xoxb-wrong") && !told.contains("geheim"));
    insta::assert_snapshot!(told);
}

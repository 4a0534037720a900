//! Flags, files and modes.

use std::collections::BTreeSet;
use std::fs;
use std::process::{Command, Stdio};

use proviso::clock::{Clock as _, SystemClock};
use proviso_tests::{Binary, OtherUser, until};
use rcgen::{CertificateParams, KeyPair, date_time_ymd};

use super::world::{COPY, HEAD, World, tells};

const NOTHING: (Option<i32>, BTreeSet<String>) = (Some(0), BTreeSet::new());

#[test]
fn each_weak_flag_is_told_and_nothing_of_a_good_set_up() {
    assert_eq!(World::good().told(), NOTHING);
    tells("single_user", |world| world.say(&["--single-user"]));
    tells("plain_http", |world| world.say(&["--public-url", "http://gate.example:8731"]));
    tells("proxy_can_be_gone_round", |world| {
        world.say(&["--listen", "0.0.0.0:8731", "--behind-proxy", "--public-url", "https://gate.example"]);
    });
    tells("asks_without_bound", |world| world.say(&["--evaluations", "5000"]));
    tells("nobody_is_told", |world| assert!(world.without.insert("--notify")));
    tells("kept_for_ever", |world| assert!(world.without.insert("--retention")));
    // What a gate would not start with is refused as there.
    let mut world = World::good();
    world.say(&["--listen", "0.0.0.0:8731"]);
    let (exit, json) = world.told_json();
    assert_eq!((exit, json["error"]["code"].as_str()), (Some(64), Some("listen_without_tls")));
    // And the neighbours of each are fine.
    for words in [
        &["--public-url", "http://localhost:9"][..],
        &["--public-url", "http://[::1]:9"],
        &["--listen", "10.1.2.3:8731", "--behind-proxy", "--public-url", "https://gate.example"],
        &["--evaluations", "1000"],
    ] {
        let mut world = World::good();
        world.say(words);
        assert_eq!(world.told(), NOTHING, "{words:?}");
    }
}

#[test]
fn each_receiver_that_is_missing_or_beside_the_record_is_told() {
    tells("no_held_head", |world| world.record(&[COPY]));
    tells("no_second_copy", |world| world.record(&[HEAD]));
    let world = World::good();
    world.gate(&[]).stop();
    world.own();
    for (code, kind, to, other) in
        [("copy_beside_data", "copy", "folder", HEAD), ("head_beside_data", "head", "file", COPY)]
    {
        let near = format!("[[{kind}]]\nname = \"near\"\n{to} = \"{}\"\n", world.text("near"));
        world.record(&[other, &near]);
        assert!(world.tells(code), "{code}");
        // One elsewhere is enough.
        world.record(&[HEAD, COPY, &near]);
        assert!(!world.tells(code), "{code}");
    }
}

const SIGN_IN: &str = r#"
[[provider]]
name = "acme"
label = "Acme"
issuer = "https://login.acme.example"
client_id = "proviso"
client_secret = { file = "SECRET" }
[provider.people]
"248289761001" = "mara"
"#;

/// Believes another issuer, whose keys are of RFC 7517.
fn believe(world: &mut World) {
    let key = r#"{"kty": "EC", "kid": "1", "use": "jwt-svid", "crv": "P-256",
        "x": "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4", "y": "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"}"#;
    world.write("jwks.json", &format!(r#"{{"keys": [{key}]}}"#));
    let keys = world.text("jwks.json");
    world.write(
        "identities.toml",
        &format!(
            "[[issuer]]\ntrust_domain = \"acme.example\"\nkeys = {{ file = \"{keys}\" }}\nalgorithms = [\"ES256\"]\n\
             audience = [\"https://gate.acme.example\"]\n"
        ),
    );
    let file = world.text("identities.toml");
    world.say(&["--identities", &file]);
}

#[test]
fn what_others_can_write_or_read_is_told() {
    tells("bundle_writable", |world| world.mode("bundle/scope/files.cedar", 0o666));
    tells("bundle_writable", |world| world.mode("bundle/guardrails", 0o777));
    tells("settings_writable", |world| world.mode("record.toml", 0o664));
    tells("settings_writable", |world| {
        world.write("proviso.toml", "evaluations = 5\n");
        world.mode("proviso.toml", 0o666);
        let file = world.text("proviso.toml");
        world.say(&["--config", &file]);
    });
    tells("secret_open", |world| world.mode("secret", 0o640));
    // Who writes the keys of an issuer is whom they like, and who writes its file, too.
    for open in ["jwks.json", "identities.toml"] {
        tells("settings_writable", |world| {
            believe(world);
            world.mode(open, 0o646);
        });
    }
    tells("secret_open", |world| {
        let secret = world.text("client");
        world.write("client", "s3cret");
        world.mode("client", 0o604);
        world.write("sign-in.toml", &SIGN_IN.replace("SECRET", &secret));
        let file = world.text("sign-in.toml");
        world.say(&["--sign-in", &file]);
    });
    let mut world = World::good();
    believe(&mut world);
    assert_eq!(world.told(), NOTHING, "an issuer is no weakness");
    let world = World::good();
    world.gate(&[]).stop();
    world.own();
    assert_eq!(world.told(), NOTHING, "a good one with its record");
    world.mode("data/keys/log.key", 0o640);
    assert!(world.tells("keys_open"));
    world.mode("data/keys/log.key", 0o600);
    world.mode("data/keys/credentials.json", 0o604);
    assert!(world.tells("keys_open"));
    world.mode("data/keys/credentials.json", 0o600);
    world.mode("data", 0o750);
    assert!(world.tells("data_open"));
}

#[test]
fn a_certificate_that_ends_soon_and_a_key_of_a_group_are_told() {
    let pair = |world: &mut World, days: u64| {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec!["gate.example".to_owned()]).unwrap();
        let end = SystemClock.now().plus(policy_core::time::Span::from_seconds(days * 86_400)).to_string();
        let end: Vec<i32> = end.split(['-', 'T']).take(3).map(|part| part.parse().unwrap()).collect();
        let [year, month, day] = end.try_into().unwrap();
        params.not_after = date_time_ymd(year, u8::try_from(month).unwrap(), u8::try_from(day).unwrap());
        fs::write(world.path("tls.crt"), params.self_signed(&key).unwrap().pem()).unwrap();
        world.write("tls.key", &key.serialize_pem());
        world.mode("tls.key", 0o600);
        let (certificate, key) = (world.text("tls.crt"), world.text("tls.key"));
        world.say(&["--tls-cert", &certificate, "--tls-key", &key]);
    };
    tells("certificate_ends", |world| pair(world, 10));
    tells("tls_key_open_to_group", |world| {
        pair(world, 300);
        world.mode("tls.key", 0o640);
    });
    let mut world = World::good();
    pair(&mut world, 300);
    assert_eq!(world.told(), NOTHING);
    world.mode("tls.key", 0o644);
    let (exit, json) = world.told_json();
    assert_eq!((exit, json["error"]["code"].as_str()), (Some(65), Some("tls_key_open")), "no gate starts with it");
}

#[tokio::test]
async fn a_proxy_of_the_gates_own_user_is_told() {
    let world = World::good();
    world.gate(&[]).stop();
    // Tests and gate share a user here, and so does this proxy.
    let mut proxy = Command::new(Binary::path());
    proxy.args(["mcp", "--gate", "http://127.0.0.1:9", "--server", "files", "--", "sh", "-c", "cat >/dev/null"]);
    proxy.env("PROVISO_TOKEN", "point").env("PROVISO_SUBJECT_TOKEN", "agent").stdin(Stdio::piped());
    proxy.env("XDG_STATE_HOME", world.path("state")).stdout(Stdio::null()).stderr(Stdio::null());
    let mut proxy = proxy.spawn().unwrap();
    until("the proxy is told", async || world.tells("same_user_as_agent").then_some(())).await;
    // Whoever is root has a data folder of root's.
    if OtherUser::find().is_some() {
        assert!(world.tells("runs_as_root"));
        world.own();
        let (_, told) = world.told();
        assert!(!told.contains("runs_as_root") && !told.contains("same_user_as_agent"), "{told:?}");
    }
    proxy.kill().unwrap();
    proxy.wait().unwrap();
}

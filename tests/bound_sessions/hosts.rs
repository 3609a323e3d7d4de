//! Several hosts of one site.

use super::*;

/// Each on its own host, as the draft has them for `__Host-` cookies.
#[tokio::test]
async fn five_hosts_of_a_site_are_bound_and_further_ones_go_on_unbound() {
    let world = World::at(
        "https://login.corp.localhost",
        PROXY,
        "",
        &ROUTES.replace("*.localhost", "*.corp.localhost").replace("login.localhost", "login.corp.localhost"),
    )
    .await;
    let browser = Browser::behind_tls(world.gateway.port);
    let device = Device::new();
    let offer = offered(&browser, "https://login.corp.localhost/").await.unwrap();
    assert_eq!(device.register(&browser, &offer).await.status, 200);
    for app in 1..=4 {
        let host = format!("https://app-{app}.corp.localhost/");
        let offer = offered(&browser, &host).await.unwrap_or_else(|| panic!("{host}"));
        assert!(offer.url.path() == "/.portcullis/ticket", "{}", offer.url);
        assert_eq!(
            device.register(&browser, &offer).await.json()["scope"]["origin"],
            json!(host.trim_end_matches('/'))
        );
    }
    let sixth = "https://app-6.corp.localhost/";
    assert!(offered(&browser, sixth).await.is_none());
    assert_eq!(call(&browser, sixth).await.status, 200);
    logged(&world.gateway, "as many hosts are bound as may be");
    assert_eq!(counted(&world, "registration", "too-many-hosts").await, 1);
}

#[tokio::test]
async fn one_binding_covers_a_whole_site_that_is_served() {
    let world = site_world("").await;
    let (browser, device) = (Browser::behind_tls(world.gateway.port), Device::new());
    let document = call(&browser, "https://corp.localhost/.well-known/device-bound-sessions").await;
    assert_eq!(document.json(), json!({ "registering_origins": ["https://login.corp.localhost"] }));
    assert_ne!(
        call(&browser, "https://login.corp.localhost/.well-known/device-bound-sessions").await.status,
        200
    );
    let offer = offered(&browser, "https://login.corp.localhost/").await.unwrap();
    let session = device.register(&browser, &offer).await;
    let told = session.json();
    assert_eq!(told["scope"]["origin"], json!("https://corp.localhost"));
    assert_eq!(told["scope"]["include_site"], json!(true));
    let cookie = "__Secure-portcullis_bound";
    assert_eq!(told["credentials"][0]["name"], json!(cookie));
    let set = session.set_cookies().into_iter().find(|set| set.starts_with(cookie)).unwrap().to_owned();
    assert!(set.contains("Domain=corp.localhost"), "{set}");
    let app = "https://wiki.corp.localhost/";
    // A browser sends the cookie of the domain along to every host of it.
    let value = browser.cookie("https://login.corp.localhost/", cookie).unwrap();
    browser.set_cookie(app, cookie, &value);
    assert!(offered(&browser, app).await.is_none(), "it is covered");
    assert_eq!(call(&browser, app).await.status, 200);
    browser.set_cookie(app, cookie, "");
    until_async("the grace to be over", || async { call(&browser, app).await.status == 401 }).await;
    assert_eq!(device.refresh(&browser, &told, None).await.status, 200);
}

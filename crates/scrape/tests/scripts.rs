//! What scraping does, as scripts: see `world` for the commands.

mod world;

use model::Labels;
use scrape::{Options, ScrapeResult};
use world::store::NaiveStore;
use world::{World, configs, job};

async fn check(more: &str, script: &str) {
    World::new(&job(more)).await.run(script).await;
}

#[tokio::test(start_paused = true)]
async fn a_scrape_is_one_batch_with_its_report_series() {
    check(
        "",
        r#"
        page a # HELP x help; x 1; y{z="1"} 2.5
        tick
        page a x 3; y{z="1"} 4
        tick
        series x => 0:1 1:3
        series y => {z=1} 0:2.5 1:4
        series up => 0:1 1:1
        series scrape_samples_scraped => 0:2 1:2
        series scrape_samples_post_metric_relabeling => 0:2 1:2
        series scrape_series_added => 0:2 1:0
        series scrape_timeout_seconds =>
        error a =>
        "#,
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_series_that_vanishes_goes_stale_at_the_next_scrape() {
    check(
        "",
        "
        page a x 1; y 1
        tick
        page a y 2
        tick 2
        page a x 3; y 3
        tick
        series x => 0:1 1:stale 3:3
        series y => 0:1 1:2 2:2 3:3
        series scrape_series_added => 0:2 1:0 2:0 3:1
        ",
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_failed_scrape_ends_every_series_but_the_report() {
    check(
        "",
        "
        page a x 1
        tick
        refuse a
        tick 2
        series x => 0:1 1:stale
        series up => 0:1 1:0 2:0
        series scrape_samples_scraped => 0:1 1:0 2:0
        page a x 2
        tick
        series x => 0:1 1:stale 3:2
        series up => 0:1 1:0 2:0 3:1
        error a =>
        ",
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_page_that_breaks_leaves_nothing_of_itself() {
    check(
        "",
        r#"
        page a x 1; y 1
        tick
        page a x 2; z 1; y yes
        tick
        series x => 0:1 1:stale
        series y => 0:1 1:stale
        series z =>
        series up => 0:1 1:0
        series scrape_samples_scraped => 0:2 1:2
        error a => strconv.ParseFloat: parsing "yes": invalid syntax while parsing: "y yes"
        page a x 3; z 2; y 3
        tick
        series x => 0:1 1:stale 2:3
        series z => 2:2
        "#,
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn errors_name_what_the_target_did() {
    check(
        "body_size_limit: 20B",
        r#"
        status a 500 Internal Server Error
        tick
        error a => server returned HTTP status 500 Internal Server Error
        refuse a
        tick
        error a => Get "http://a/metrics": dial tcp a: connect: connection refused
        silent a
        tick
        error a => Get "http://a/metrics": context deadline exceeded
        typed a application/openmetrics-text x 1
        tick
        error a => not supported: OpenMetricsText
        typed a text/html x 1
        tick
        error a => received unsupported Content-Type "text/html" and no fallback_scrape_protocol specified for target
        page a x 1; y 2; z 3; long_name 4
        tick
        error a => body size limit exceeded
        gzip a x 1; x 1; x 1; x 1; x 1; x 1
        tick
        error a => body size limit exceeded
        counter prometheus_target_scrapes_exceeded_body_size_limit_total => 2
        gzip a x 1
        tick
        error a =>
        series x => 7:1
        "#,
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn explicit_timestamps_stand_and_are_not_tracked() {
    // 1699999990000 lies some ten seconds before the world begins.
    check(
        "",
        "
        page a x 1 1699999990000
        tick
        page a y 1
        tick
        series y => 1:1
        counter prometheus_target_scrapes_sample_out_of_order_total => 0
        page a x 2 1699999980000; y 2
        tick
        counter prometheus_target_scrapes_sample_out_of_order_total => 1
        page a x 2 1999999980000; y 2
        tick
        counter prometheus_target_scrapes_sample_out_of_bounds_total => 1
        ",
    )
    .await;
    check(
        "honor_timestamps: false",
        "
        page a x 1 1699999990000
        tick
        page a
        tick
        series x => 0:1 1:stale
        ",
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn the_first_of_two_equal_lines_counts() {
    check(
        "",
        "
        page a x 1; x 2
        tick
        page a x 3; x 4
        tick
        series x => 0:1 1:3
        series scrape_samples_post_metric_relabeling => 0:2 1:2
        counter prometheus_target_scrapes_sample_duplicate_timestamp_total => 2
        ",
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn the_sample_limit_fails_the_scrape_and_counts_on() {
    check(
        "sample_limit: 2",
        "
        page a x 1; y 1
        tick
        page a x 2; y 2; z 2; w 2
        tick
        error a => sample limit exceeded
        series x => 0:1 1:stale
        series y => 0:1 1:stale
        series z =>
        series up => 0:1 1:0
        series scrape_samples_scraped => 0:2 1:4
        series scrape_samples_post_metric_relabeling => 0:2 1:4
        counter prometheus_target_scrapes_exceeded_sample_limit_total => 1
        ",
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn relabelling_drops_lines_and_labels() {
    check(
        r#"
metric_relabel_configs:
  - {source_labels: [__name__], regex: "drop.*", action: drop}
  - {regex: tmp, action: labeldrop}
"#,
        r#"
        page a x{tmp="1",k="v"} 1; dropped 2
        tick
        page a x{tmp="2",k="v"} 2; dropped 2
        tick
        # The second spelling is the same series: it does not go stale.
        series x => {k=v} 0:1 1:2
        series dropped =>
        series scrape_samples_scraped => 0:2 1:2
        series scrape_samples_post_metric_relabeling => 0:1 1:1
        "#,
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn extra_metrics_are_reported_when_asked_for() {
    check(
        "extra_scrape_metrics: true\nsample_limit: 7",
        "
        page a x 1
        tick
        refuse a
        tick
        series scrape_timeout_seconds => 0:4 1:4
        series scrape_sample_limit => 0:7 1:7
        series scrape_body_size_bytes => 0:4 1:0
        ",
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_storage_that_forgot_its_refs_is_told_again() {
    check(
        "",
        r#"
        page a # TYPE h histogram; h{le="1"} 1; x 1
        tick
        forget
        page a # TYPE h histogram; h{le="1"} 2; x 2
        tick
        series h => {le=1.0} 0:1 1:2
        series x => 0:1 1:2
        series up => 0:1 1:1
        page a x 3
        tick
        series h => {le=1.0} 0:1 1:2 2:stale
        "#,
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn pages_wait_while_the_storage_starts() {
    let store = NaiveStore::ready();
    store.set_ready(false);
    let mut world = World::with(&job(""), Options::default(), store).await;
    world
        .run(
            "
            page a x 1; y 1
            tick
            page a x 2
            tick
            series up =>
            ready
            settle 2
            series x => 0:1 1:2
            series y => 0:1 1:stale
            series up => 0:1 1:1
            tick
            series up => 0:1 1:1 2:1
            counter twinfire_scrape_waiting_bytes => 0
            ",
        )
        .await;
}

#[tokio::test(start_paused = true)]
async fn pages_that_wait_have_a_limit() {
    let store = NaiveStore::ready();
    store.set_ready(false);
    let options = Options { waiting_bytes_max: 1, ..Options::default() };
    let mut world = World::with(&job(""), options, store).await;
    world.run("page a x 1\n tick 2").await;
    let outcome = world.outcome().await;
    assert_eq!(
        outcome.result,
        ScrapeResult::NotStored { reason: "too many pages wait for the storage to start".to_owned() }
    );
    world
        .run(
            "
            counter twinfire_scrape_waiting_dropped_total => 1
            ready
            settle 1
            series up => 0:1
            ",
        )
        .await;
}

#[tokio::test(start_paused = true)]
async fn a_target_that_is_gone_ends_after_two_intervals() {
    let mut world = World::new(&job("")).await;
    world.run("page a x 1\n tick 2").await;
    world.manager.apply(&[]);
    assert!(world.manager.targets().active().is_empty());
    world
        .run(
            "
            pass 20s
            series x => 0:1 1:1
            pass 2s
            series x => 0:1 1:1 2:stale
            series up => 0:1 1:1 2:stale
            ",
        )
        .await;
}

#[tokio::test(start_paused = true)]
async fn a_target_that_comes_back_in_time_keeps_its_series() {
    let mut world = World::new(&job("")).await;
    world.run("page a x 1\n tick 2").await;
    world.manager.apply(&[]);
    world.manager.apply(&job(""));
    world
        .run(
            "
            tick 3
            pass 2s
            series x => 0:1 1:1 2:1 3:1 4:1
            series up => 0:1 1:1 2:1 3:1 4:1
            ",
        )
        .await;
}

#[tokio::test(start_paused = true)]
async fn a_reload_that_changes_relabelling_ends_what_it_drops() {
    let mut world = World::new(&job("")).await;
    world.run("page a x 1; y 1\n tick").await;
    world
        .manager
        .apply(&job("metric_relabel_configs: [{source_labels: [__name__], regex: y, action: drop}]"));
    world
        .run(
            "
            tick
            series x => 0:1 1:1
            series y => 0:1 1:stale
            ",
        )
        .await;
    // A limit that touches no labels leaves the cache alone: nothing is new.
    world.manager.apply(&job(
        "metric_relabel_configs: [{source_labels: [__name__], regex: y, action: drop}]\nsample_limit: 9",
    ));
    world.run("tick\n series scrape_series_added => 0:2 1:1 2:0").await;
}

#[tokio::test(start_paused = true)]
async fn a_reload_that_changes_nothing_disturbs_nothing() {
    let mut world = World::new(&job("")).await;
    world.run("page a x 1\n tick").await;
    world.manager.apply(&job(""));
    world
        .run(
            "
            tick
            series x => 0:1 1:1
            series scrape_series_added => 0:1 1:0
            counter prometheus_target_scrape_pool_reloads_total => 0
            ",
        )
        .await;
    let connections = world.peers.requests.lock().unwrap().len();
    assert_eq!(connections, 2);
}

#[tokio::test(start_paused = true)]
async fn too_many_targets_fail_each_of_them() {
    let yaml = "
global: {scrape_interval: 10s, scrape_timeout: 4s}
scrape_configs:
  - job_name: j
    target_limit: 1
    static_configs: [{targets: [a, b]}]
";
    let mut world = World::new(&configs(yaml)).await;
    world.run("page a x 1\n page b x 1\n pass 11s\n settle 2").await;
    world
        .run(
            "
            error a => target_limit exceeded (number of targets: 2, limit: 1)
            error b => target_limit exceeded (number of targets: 2, limit: 1)
            ",
        )
        .await;
    assert!(world.peers.requests.lock().unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn targets_are_built_from_what_is_discovered() {
    let yaml = r#"
scrape_configs:
  - job_name: j
    params: {module: [one, two]}
    static_configs:
      - {targets: ["a:1", "b:2", "a:1", "drop:3", "bad/host"], labels: {zone: z}}
    relabel_configs:
      - {source_labels: [__address__], regex: "drop.*", action: drop}
      - {source_labels: [__address__], regex: "b:2", target_label: __metrics_path__, replacement: /probe}
      - {source_labels: [__address__], regex: "b:2", target_label: __param_module, replacement: three}
"#;
    let world = World::new(&configs(yaml)).await;
    let targets = world.manager.targets();
    let urls: Vec<String> = targets.active().iter().map(|active| active.target.scrape_url.clone()).collect();
    assert_eq!(
        urls,
        ["http://a:1/metrics?module=one&module=two", "http://b:2/probe?module=three&module=two",]
    );
    let labels = targets.active()[0].target.labels.clone();
    assert_eq!(labels, Labels::from_pairs([("instance", "a:1"), ("job", "j"), ("zone", "z")]));
    assert_eq!(targets.dropped_counts().values().sum::<usize>(), 1);
    assert_eq!(
        targets.dropped()[0].discovered.to_string(),
        r#"{__address__="drop:3", __always_scrape_classic_histograms__="false", __convert_classic_histograms_to_nhcb__="false", __metrics_path__="/metrics", __param_module="one", __scheme__="http", __scrape_interval__="1m", __scrape_native_histograms__="false", __scrape_timeout__="10s", job="j", zone="z"}"#
    );
    assert_eq!(world.failed_targets(), [r#"instance 4 in group 0: "bad/host" is not a valid hostname"#]);
}

#[tokio::test(start_paused = true)]
async fn a_request_says_what_it_wants() {
    let mut world = World::new(&job("metrics_path: /m")).await;
    world.run("page a x 1\n tick").await;
    let request = world.peers.requests.lock().unwrap()[0].to_lowercase();
    let lines: Vec<&str> = request.trim_end().lines().collect();
    assert_eq!(lines[0], "get /m http/1.1");
    for want in [
        "accept: text/plain;version=1.0.0;escaping=allow-utf-8;q=0.6,text/plain;version=0.0.4;q=0.5,*/*;q=0.4",
        "accept-encoding: gzip",
        "x-prometheus-scrape-timeout-seconds: 4",
        "host: a",
    ] {
        assert!(lines.contains(&want), "{want} not in {lines:#?}");
    }
    assert!(request.contains("user-agent: prometheus/3.14.0"));
}

#[tokio::test(start_paused = true)]
async fn metadata_is_kept_for_each_target() {
    let mut world = World::new(&job("")).await;
    world.run("page a # HELP x Some help.; # TYPE x counter; x 1\n tick").await;
    let mut seen = Vec::new();
    world.manager.targets().metadata("", |target, entry| {
        let instance = target.labels.get("instance").unwrap_or("");
        seen.push(format!("{instance} {} {} {}", entry.family, entry.kind.as_str(), entry.help));
        true
    });
    assert_eq!(seen, ["a x counter Some help."]);
}

#[tokio::test(start_paused = true)]
async fn stopping_writes_no_stale_markers() {
    let mut world = World::new(&job("")).await;
    world.run("page a x 1\n tick\n silent a\n pass 10s").await;
    let store = world.store.clone();
    world.manager.stop().await;
    let up = store.dump().into_iter().find(|(labels, _)| labels.metric_name() == "up").unwrap().1;
    assert_eq!(up.len(), 1);
}

//! The dashboard, reports and their files.

use chrono::Duration;
use helpdesk_tests::on_every_store;
use helpdesk_tests::server::Server;
use serde_json::{Value, json};

use super::{call, data, each, get, patch, ticket};

on_every_store! {
    /// The dashboard tells what is there at this moment.
    async fn the_dashboard_is_true(store: NewStore) {
        let server = Server::start(store).await;
        let (customer, agent) = (server.token("customer").await, server.token("agent").await);
        let stats = async || {
            server.settle().await;
            data(&get(&server, &agent, "/api/dashboard/stats").await)
        };
        let before = stats().await;
        let number = |stats: &Value, field: &str| stats[field].as_i64().unwrap_or_else(|| panic!("{field}: {stats}"));
        let made = ticket(&server, &customer, "Counted").await;
        let status = async |status: &str| {
            let body = json!({ "status": status });
            data(&patch(&server, &agent, &format!("/api/tickets/{made}/status"), body).await)
        };
        let after = stats().await;
        assert_eq!(number(&after, "total_tickets"), number(&before, "total_tickets") + 1);
        assert_eq!(number(&after, "open_tickets"), number(&before, "open_tickets") + 1);
        status("pending").await;
        assert_eq!(number(&stats().await, "pending_tickets"), number(&before, "pending_tickets") + 1);
        status("solved").await;
        assert_eq!(number(&stats().await, "resolved_today"), number(&before, "resolved_today") + 1);
        let activity = data(&get(&server, &agent, "/api/dashboard/activity?limit=100").await);
        assert!(each(&activity, "target").contains(&&json!("Counted")), "{activity}");
        let labels = data(&get(&server, &agent, "/api/dashboard/sla-status").await);
        assert_eq!(each(&labels, "label"), ["First Response", "Resolution Time", "Customer Satisfaction"]);
        assert_eq!(get(&server, &customer, "/api/dashboard/stats").await.status, 403);
        // A day later it was not today.
        server.clock.advance(Duration::days(1));
        let agent = server.token("agent").await;
        server.settle().await;
        assert_eq!(data(&get(&server, &agent, "/api/dashboard/stats").await)["resolved_today"], 0);
    }

    /// A late answer is overdue until it is given, and breaks what was promised.
    async fn late_tickets_are_overdue(store: NewStore) {
        let server = Server::start(store).await;
        let customer = server.token("customer").await;
        let made = ticket(&server, &customer, "Late").await;
        server.settle().await;
        let agent = server.token("agent").await;
        let overdue = async |token: &str| data(&get(&server, token, "/api/dashboard/stats").await)["overdue_tickets"].as_i64();
        let before = overdue(&agent).await.expect("a number");
        server.clock.advance(Duration::days(30));
        server.settle().await;
        let agent = server.token("agent").await;
        let late = overdue(&agent).await.expect("a number");
        assert!(late > before, "{late} after {before}");
        data(&patch(&server, &agent, &format!("/api/tickets/{made}/status"), json!({ "status": "solved" })).await);
        server.settle().await;
        assert_eq!(overdue(&agent).await, Some(late - 1));
        let admin = server.token("admin").await;
        let report = data(&get(&server, &admin, "/api/reports/sla").await);
        assert!(report["breached"].as_i64().is_some_and(|breached| breached > 0), "{report}");
    }

    /// Reports count by the organisation's days, weeks and months, those without anything among them.
    async fn reports_count_by_period(store: NewStore) {
        let server = Server::start(store).await;
        let customer = server.token("customer").await;
        ticket(&server, &customer, "Today").await;
        let admin = server.token("admin").await;
        for (group_by, periods) in [("day", 15), ("week", 3), ("month", 1)] {
            let path = format!("/api/reports/tickets?start_date=2025-01-01&end_date=2025-01-15&group_by={group_by}");
            let report = data(&get(&server, &admin, &path).await);
            let trend = report["trend"].as_array().expect("a trend");
            assert_eq!(trend.len(), periods, "{group_by}: {report}");
            let created: i64 = trend.iter().filter_map(|point| point["created"].as_i64()).sum();
            assert_eq!(Some(created), report["total_tickets"].as_i64());
        }
        for query in ["start_date=tomorrow", "group_by=year", "start_date=2025-02-01&end_date=2025-01-01"] {
            let status = get(&server, &admin, &format!("/api/reports/tickets?{query}")).await.status;
            assert!(matches!(status, 400 | 422), "{query}: {status}");
        }
        assert_eq!(get(&server, &customer, "/api/reports/tickets").await.status, 403);
    }

    /// A report comes as a file that only the one who asked for it may read.
    async fn reports_come_as_files(store: NewStore) {
        let server = Server::start(store).await;
        let admin = server.token("admin").await;
        for kind in ["tickets", "agents", "satisfaction", "sla"] {
            for (format, media_type, beginning) in [
                ("csv", "text/csv", &b""[..]),
                ("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", b"PK"),
                ("pdf", "application/pdf", b"%PDF"),
            ] {
                let made = data(&get(&server, &admin, &format!("/api/reports/export?type={kind}&format={format}")).await);
                assert_eq!(made["mime_type"], media_type);
                let url = made["url"].as_str().expect("an address");
                let path = &url[url.find("/api/").expect("a path")..];
                let file = get(&server, &admin, path).await;
                assert_eq!((file.status, file.media_type().as_str()), (200, media_type));
                assert!(file.body.starts_with(beginning) && file.body.len() > 20, "{kind} {format}");
                let manager = get(&server, &server.token("manager").await, path).await;
                assert!(matches!(manager.status, 403 | 404));
            }
        }
        for query in ["type=tickets", "format=csv", "type=people&format=csv", "type=tickets&format=doc"] {
            let status = get(&server, &admin, &format!("/api/reports/export?{query}")).await.status;
            assert!(matches!(status, 400 | 422), "{query}: {status}");
        }
        let post = call(&server, &admin, http::Method::POST, "/api/reports/export", None).await;
        assert_eq!(post.status, 405);
    }
}

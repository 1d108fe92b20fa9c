"""The Grafana dashboards, as code: what is shown, and how Grafana wants it written down."""

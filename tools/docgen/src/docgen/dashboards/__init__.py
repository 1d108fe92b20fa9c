"""The Grafana dashboards, as code: their contents, and their form in Grafana."""

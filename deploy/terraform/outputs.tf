output "url" {
  description = "Where the API is."
  value       = "https://${var.host}"
}

output "namespace" {
  description = "Where Waybill runs."
  value       = "waybill"
}

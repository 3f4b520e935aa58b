output "cluster_endpoint" {
  description = "host:port from which data planes fetch their configuration."
  value       = "${local.service_hosts["cluster"]}:${local.ports["cluster"]}"

  # A data plane that knows the address finds a control plane that answers.
  depends_on = [
    kubernetes_deployment_v1.this,
    kubernetes_network_policy_v1.this,
    kubernetes_service_v1.cluster,
  ]
}

output "telemetry_endpoint" {
  description = "host:port to which data planes report telemetry."
  value       = "${local.service_hosts["clustertelemetry"]}:${local.ports["telemetry"]}"

  depends_on = [
    kubernetes_deployment_v1.this,
    kubernetes_network_policy_v1.this,
    kubernetes_service_v1.telemetry,
  ]
}

output "admin_service_name" {
  description = "Name of the Admin API's Service."
  value       = kubernetes_service_v1.admin.metadata[0].name
}

output "manager_service_name" {
  description = "Name of Kong Manager's Service."
  value       = kubernetes_service_v1.manager.metadata[0].name
}

output "admin_api_url" {
  description = "URL of the Admin API: within the cluster, or within the VPC with an internal load balancer."
  value       = local.load_balanced ? local.admin_gui_api_url : "http://${local.service_hosts["admin"]}:${local.ports["admin"]}"
}

output "migrations_job_name" {
  description = "Name of the Job that last prepared the database."
  value       = kubernetes_job_v1.migrations.metadata[0].name
}

output "deployment_name" {
  description = "Name of the Deployment."
  value       = kubernetes_deployment_v1.this.metadata[0].name
}

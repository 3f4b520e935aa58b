output "cluster_name" {
  description = "Name of the EKS cluster."
  value       = module.eks.cluster_name
}

output "cluster_endpoint" {
  description = "URL of the cluster's API."
  value       = module.eks.cluster_endpoint
}

output "kubeconfig_command" {
  description = "Command that lets kubectl reach the cluster."
  value       = "aws eks update-kubeconfig --region ${var.region} --name ${module.eks.cluster_name}"
}

output "nat_public_ips" {
  description = "Addresses from which the nodes' traffic leaves, by zone: what upstream services may have to admit."
  value       = module.eks.nat_public_ips
}

output "proxy_hostname" {
  description = "Hostname of the data plane's load balancer; null while it has none."
  value       = module.data_plane.proxy_hostname
}

output "proxy_url" {
  description = "URL at which API consumers reach the gateway; null while the load balancer has no name."
  value       = module.data_plane.proxy_hostname == null ? null : "https://${module.data_plane.proxy_hostname}"
}

output "admin_api_url" {
  description = "URL of the Admin API: within the cluster, or within the VPC with admin_exposure = \"internal\"."
  value       = module.control_plane.admin_api_url
}

output "port_forward_commands" {
  description = "Commands that bring the Admin API to localhost:8001 and Kong Manager to localhost:8002."
  value = {
    admin   = "kubectl --namespace ${module.namespaces.control_plane} port-forward service/${module.control_plane.admin_service_name} 8001"
    manager = "kubectl --namespace ${module.namespaces.control_plane} port-forward service/${module.control_plane.manager_service_name} 8002"
  }
}

output "metrics_endpoint" {
  description = "host:port within the cluster where Prometheus finds the data plane's /metrics."
  value       = module.data_plane.status_endpoint
}

output "cluster_certificate_expires_at" {
  description = "End of the validity of the certificate that the planes share, RFC 3339."
  value       = module.cluster_certificate.expires_at
}

output "database_host" {
  description = "Host of the database."
  value       = module.database.connection.host
}

output "database_password" {
  description = "Password of Kong's database user."
  value       = module.database.password
  sensitive   = true
}

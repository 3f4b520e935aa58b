output "proxy_hostname" {
  description = "Hostname (or address) of the proxy's load balancer; null while it has none."
  value = try(
    coalesce(
      kubernetes_service_v1.proxy.status[0].load_balancer[0].ingress[0].hostname,
      kubernetes_service_v1.proxy.status[0].load_balancer[0].ingress[0].ip,
    ),
    null,
  )
}

output "proxy_service_name" {
  description = "Name of the proxy's Service."
  value       = kubernetes_service_v1.proxy.metadata[0].name
}

output "status_endpoint" {
  description = "host:port within the cluster with /status, /status/ready and /metrics."
  value       = "${kubernetes_service_v1.status.metadata[0].name}.${var.namespace}.svc.cluster.local:${local.ports["status"]}"
}

output "deployment_name" {
  description = "Name of the Deployment that the autoscaler scales."
  value       = kubernetes_deployment_v1.this.metadata[0].name
}

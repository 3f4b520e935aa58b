output "control_plane" {
  description = "Name of the control plane's namespace."
  value       = kubernetes_namespace_v1.this["control_plane"].metadata[0].name
}

output "data_plane" {
  description = "Name of the data plane's namespace."
  value       = kubernetes_namespace_v1.this["data_plane"].metadata[0].name
}

output "names" {
  description = "Both names, by what they are for: control_plane and data_plane."
  value       = { for purpose, namespace in kubernetes_namespace_v1.this : purpose => namespace.metadata[0].name }
}

output "connection" {
  description = "How to reach the database: host, port, database name, user, whether over TLS, and the Secret and its key that hold the password."
  value = {
    host            = local.in_cluster ? "${kubernetes_service_v1.client[0].metadata[0].name}.${var.namespace}.svc.cluster.local" : aws_db_instance.this[0].address
    port            = local.port
    name            = var.database_name
    user            = var.user_name
    ssl             = !local.in_cluster
    password_secret = kubernetes_secret_v1.password.metadata[0].name
    password_key    = "password"
  }

  # Whoever is told how to connect finds a server and an open way to it.
  depends_on = [
    kubernetes_stateful_set_v1.this,
    kubernetes_network_policy_v1.this,
  ]
}

output "password" {
  description = "Password of Kong's user."
  value       = random_password.this.result
  sensitive   = true
}

output "rds_instance_arn" {
  description = "ARN of the RDS instance; null in-cluster."
  value       = one(aws_db_instance.this[*].arn)
}

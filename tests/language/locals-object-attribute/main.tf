locals {
  config = { port = 80, hosts = ["a"] }
}

output "misspelt" {
  value = local.config.prt
}

output "index" {
  value = local.config.hosts[3]
}

output "type" {
  value = local.config + 1
}

output "condition" {
  value = local.config.port ? 1 : 2
}

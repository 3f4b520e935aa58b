variable "plain" {}

output "plain" {
  value = var.plain
}

output "made" {
  value     = "x"
  sensitive = true
}

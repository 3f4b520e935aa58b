output "o" {
  value       = "base"
  description = "Base."
}

output "s" {
  value = "secret"
}

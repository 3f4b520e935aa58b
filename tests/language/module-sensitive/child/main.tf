output "secret" {
  value     = "s"
  sensitive = true
}

output "open" {
  value = "o"
}

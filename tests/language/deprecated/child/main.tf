variable "old" {
  type       = string
  default    = null
  deprecated = "Use the variable new."
}

output "old" {
  value      = 1
  deprecated = "Use the output new."
}

output "new" {
  value = var.old
}

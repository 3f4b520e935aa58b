variable "secret" {
  sensitive = true
  default   = "s"
}

output "leak" {
  value = "x${var.secret}"
}

output "inside" {
  value = { a = [var.secret] }
}

output "fine" {
  value     = var.secret
  sensitive = true
}

output "length" {
  value = nonsensitive(length(var.secret))
}

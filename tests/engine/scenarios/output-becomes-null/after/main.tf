output "x" { value = null }

variable "n" {
  type = number
}

output "plus" {
  value = "a" + var.n
}

output "function" {
  value = upper(var.n, 1)
}

output "unknown_function" {
  value = uper("x")
}

output "index" {
  value = [1, 2][var.n].x
}

output "call_type" {
  value = length(5)
}

output "not" {
  value = !var.n
}

output "template" {
  value = "${["a"]}b"
}

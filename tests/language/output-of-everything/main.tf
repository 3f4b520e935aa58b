resource "terraform_data" "a" {
  count = 2
  input = { n = count.index }
}

output "whole" {
  value = [for r in terraform_data.a : { input = r.input, known = r.id == null }]
}

output "splats" {
  value = [terraform_data.a[*].input.n, terraform_data.a.*.input]
}

output "null" {
  value = null
}

output "nested" {
  value = { list = tolist([1, 2]), set = toset(["b", "a"]), tuple = [1, "x", null], map = tomap({ k = "v" }) }
}

resource "terraform_data" "single" {}

resource "terraform_data" "counted" {
  count = 2
}

resource "terraform_data" "keyed" {
  for_each = { a = 1 }
}

output "single_index" {
  value = terraform_data.single[0].id
}

output "counted_without" {
  value = terraform_data.counted.id
}

output "keyed_without" {
  value = terraform_data.keyed.id
}

output "counted_text" {
  value = terraform_data.counted["a"].id
}

output "keyed_number" {
  value = terraform_data.keyed[0].id
}

output "unknown_attribute" {
  value = terraform_data.single.idd
}

output "unknown_attribute_of_element" {
  value = terraform_data.counted[0].inptu
}

output "splat_on_map" {
  value = terraform_data.keyed[*].id
}

resource "test_thing" "a" {
  name = "a"
  size = 1
}

output "a" { value = test_thing.a.revision }
output "n" { value = 2 }

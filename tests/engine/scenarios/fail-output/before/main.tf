resource "test_thing" "a" {
  name = "a"
}

output "a" { value = test_thing.a.revision }
output "n" { value = 1 }

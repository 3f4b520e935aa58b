resource "test_thing" "a" {
  name = "a"
}

output "x" { value = test_thing.a.name }

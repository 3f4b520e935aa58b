resource "test_thing" "a" {
  name = "a"
}

output "x" { value = { id = test_thing.a.id, name = test_thing.a.name } }

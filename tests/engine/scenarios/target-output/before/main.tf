resource "test_thing" "a" {
  name = "a"
}

resource "test_thing" "b" {
  name = "b"
}

output "a" { value = test_thing.a.size }
output "b" { value = test_thing.b.size }

resource "test_thing" "a" {
  name = "a"
  size = 1
}

resource "test_thing" "b" {
  name = "b"
  size = 1
}

output "a" { value = test_thing.a.size }
output "b" { value = test_thing.b.size }

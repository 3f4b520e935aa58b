resource "test_thing" "a" {
  name = "a"
  size = 2
  lifecycle {
    ignore_changes = all
  }
}

output "size" { value = test_thing.a.size }

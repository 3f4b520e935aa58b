output "q" { value = "tf" }

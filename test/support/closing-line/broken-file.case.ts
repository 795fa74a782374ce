throw new Error("Cannot be imported, on purpose");
